"""The same night on the CI systems that people have: workflows, and the jobs of a plan."""
