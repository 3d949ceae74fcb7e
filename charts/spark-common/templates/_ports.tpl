{{/*
spark-common.port   a port of a pod; call with whose it is: "driver" (RPC), "blockManager", "ui" (of a driver), "history",
                    "proxy" (spark-ui-proxy's nginx), "operations" (its probes and metrics), "notebook" (JupyterLab) or "connect" (gRPC);
                    of a standalone cluster "master", "worker" (RPC), "masterUi" (where spark-ui-proxy looks for UIs), "workerUi"
*/}}
{{- define "spark-common.port" -}}
{{- get (dict "driver" 7078 "blockManager" 7079 "ui" 4040 "history" 18080 "proxy" 8080 "operations" 8081 "notebook" 8888 "connect" 15002 "master" 7077 "worker" 7076 "masterUi" 4040 "workerUi" 8081) . | required (printf "spark-common.port knows no %q" .) -}}
{{- end }}
