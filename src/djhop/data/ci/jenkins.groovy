// The whole matrix every night: a branch for each cell, on as many agents as there are, and a stage
// that puts together what they saw. Written by: [[ written ]]
// docs/ci.md of djhop says what each part does. Nothing in here changes when the matrix does.
// Agents need djhop ([[ install ]]) and keep its cache: $DJHOP_CACHE, else ~/.cache/djhop.
def cells = [:]

pipeline {
    agent none
    triggers { cron('H 2 * * *') }
    options { disableConcurrentBuilds() }
    stages {
        stage('Plan') {
            agent any
            steps {
                // Every branch follows this one plan, whatever its own machine has.
                sh '''mkdir -p reports
                djhop plan[[ words ]][[ shards ]] --save reports/plan.json --format lines > reports/cells.txt'''
                stash name: 'plan', includes: 'reports/plan.json'
                script {
                    readFile('reports/cells.txt').trim().split('\n').each { line ->
                        // Of a cell that is not divided the third is empty, or was trimmed away.
                        def words = line.split('\t')
                        def bundle = words[0].trim()
                        def cell = words[1].trim()
                        def shard = words.size() > 2 ? words[2].trim() : ''
                        cells[bundle] = {
                            node {
                                checkout scm
                                unstash 'plan'
                                timeout(time: [[ timeout ]], unit: 'MINUTES') {
                                    withEnv(["CELL=${cell}", "SHARD=${shard}", "BUNDLE=${bundle}"]) {
                                        // A cell that is red is a result: only one without a result fails.
                                        catchError(buildResult: null, stageResult: 'FAILURE') {
                                            // An agent's folder stays from night to night.
                                            sh '''rm -f "reports/$BUNDLE.zip"
                                            djhop run[[ words ]] --plan reports/plan.json --cell "$CELL" ${SHARD:+--shard "$SHARD"} --bundle "reports/$BUNDLE.zip" || test -s "reports/$BUNDLE.zip"'''
                                        }
                                    }
                                }
                                stash name: "bundle-${bundle}", includes: "reports/${bundle}.zip", allowEmpty: true
                            }
                        }
                    }
                }
            }
        }
        stage('Cells') {
            steps {
                // A branch that dies takes no other along: what it was to show is missing, and named.
                catchError(buildResult: null, stageResult: 'FAILURE') {
                    script { parallel cells }
                }
            }
        }
        stage('Report') {
            agent any
            steps {
                // What an earlier night has left in this folder is none of this one's.
                sh 'rm -rf reports/bundles reports/*.zip'
                unstash 'plan'
                script {
                    cells.keySet().each { bundle ->
                        catchError(buildResult: null, stageResult: null) { unstash "bundle-${bundle}" }
                    }
                }
                sh '''mkdir -p reports/bundles; mv reports/*.zip reports/bundles/ || true
                code=0
                djhop merge reports/bundles --plan reports/plan.json --target [[ target ]] || code=$?
                # With a list of known breaks only what is new, or fixed and still listed, fails.
                if [ -f [[ baseline ]] ]; then
                    djhop baseline check --file [[ baseline ]]
                    test "$code" -le 1
                else
                    exit "$code"
                fi'''
            }
            post {
                always {
                    junit testResults: 'reports/latest/junit.xml', allowEmptyResults: true
                    archiveArtifacts artifacts: 'reports/latest/**', allowEmptyArchive: true
                }
            }
        }
    }
}
