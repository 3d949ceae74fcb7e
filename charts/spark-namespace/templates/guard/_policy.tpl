{{/*
The guard: ValidatingAdmissionPolicies of this one namespace, a folder each. What they judge:

  pods        what any pod may use: accounts, Secrets, volumes, its host
  placement   what any pod may ask of the scheduler
  statuses    who writes the status of a pod
  drivers     what drivers make, change and remove
  hubs        what JupyterHubs make and remove
  network     Services and NetworkPolicies
  monitors    PodMonitors
  conf        Spark configuration, where global.deniedSparkConf denies some

  spark-namespace.hasGuard        "true" where the guard is asked for and the cluster can have it; call with the root
  spark-namespace.grants          "true" where a right is granted that only the guard makes safe; call with a dict: root, right (of
                                  guard.rightsWithout)
  spark-namespace.makesNetworkPolicies  "true" where whoever submits makes NetworkPolicies; call with the root
  spark-namespace.guardParts      the parts above, as a YAML list
  spark-namespace.guard           the name of a part: policies and bindings are of the whole cluster, so it carries the namespace;
                                  call with a dict: root, part
  spark-namespace.guardMetadata   metadata of a part's policy or binding; call with a dict: root, part
  spark-namespace.guardedNamespace  a namespaceSelector: the team's namespace alone; call with the root
  spark-namespace.isByKubernetes  CEL: the request is the control plane's own
  spark-namespace.isByAdmin       CEL: it is of somebody who may change the Namespace itself, and so could switch its Pod Security off.
                                  Only a matchCondition and an expression may ask this, no message
  spark-namespace.isByDriver      CEL: it is of an account of the namespace that does not submit: none other has a reason to make any
                                  pod but executors; call with the root
  spark-namespace.isByHub         CEL: it is of an account of notebooks.from; call with the root
  spark-namespace.controllersLabels  by which Kubernetes' controllers know their pods, a JSON list
  spark-namespace.hasHubs         "true" where hubs have rights: they are named, and there is a guard; call with the root
  spark-namespace.guardedSecrets  Secrets that pods may use: those that values list, those of image.pullSecrets, that of the hardened
                                  preset, that of the event logs' store, and those that drivers log in with; call with the root
*/}}

{{- define "spark-namespace.hasGuard" -}}
{{- if ne (toString .Values.guard.enabled) "false" -}}
{{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.grants" -}}
{{- if or (include "spark-namespace.hasGuard" .root) (has .right .root.Values.guard.rightsWithout) -}}
true
{{- end -}}
{{- end }}

{{- define "spark-namespace.makesNetworkPolicies" -}}
{{- if .Values.submitter.networkPolicies -}}
{{- include "spark-namespace.grants" (dict "root" . "right" "clusterMode") -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.guardParts" -}}
[pods, placement, statuses, drivers, network, monitors{{ if include "spark-namespace.hasHubs" . }}, hubs{{ end }}{{ if .Values.global.deniedSparkConf }}, conf{{ end }}]
{{- end }}

{{- define "spark-namespace.guard" -}}
{{- /* No namespace has a dot in its name: no two namespaces share a policy. */ -}}
kindling-guard-{{ include "spark-namespace.name" .root }}{{ if ne .part "pods" }}.{{ .part }}{{ end }}
{{- end }}

{{- define "spark-namespace.guardMetadata" -}}
name: {{ include "spark-namespace.guard" . | quote }}
labels:
  {{- include "spark-common.labels" (dict "root" .root "component" "guard") | nindent 2 }}
{{- end }}

{{- define "spark-namespace.guardedNamespace" -}}
matchLabels:
  kubernetes.io/metadata.name: {{ include "spark-namespace.name" . | quote }}
{{- end }}

{{- define "spark-namespace.isByKubernetes" -}}
request.userInfo.username.startsWith('system:serviceaccount:kube-system:')
|| request.userInfo.username in ['system:kube-controller-manager', 'system:kube-scheduler',
'system:cloud-controller-manager', 'system:apiserver']
{{- end }}

{{- define "spark-namespace.isByAdmin" -}}
authorizer.group('').resource('namespaces').namespace(request.namespace).name(request.namespace)
.check('update').allowed()
{{- end }}

{{- define "spark-namespace.isByDriver" -}}
{{- $of := printf "system:serviceaccount:%s:" (include "spark-namespace.name" .) -}}
{{- $submitters := list (print $of .Values.global.serviceAccounts.submitter) -}}
{{- range .Values.accounts -}}
{{- if eq .role "submitter" -}}
{{- $submitters = append $submitters (print $of .name) -}}
{{- end -}}
{{- end -}}
request.userInfo.username.startsWith({{ toJson $of }})
&& !(request.userInfo.username in {{ toJson $submitters }}){{ if .Values.notebooks.from }}
&& !({{ include "spark-namespace.isByHub" . }}){{ end }}
{{- end }}

{{- define "spark-namespace.controllersLabels" -}}
{{ list "batch.kubernetes.io/controller-uid" "batch.kubernetes.io/job-name" "controller-uid" "job-name" "pod-template-hash" | toJson }}
{{- end }}

{{- define "spark-namespace.isByHub" -}}
{{- $hubs := list -}}
{{- range .Values.notebooks.from -}}
{{- $hubs = printf "system:serviceaccount:%s:%s" .namespace .name | append $hubs -}}
{{- end -}}
request.userInfo.username in {{ toJson $hubs }}
{{- end }}

{{- define "spark-namespace.hasHubs" -}}
{{- if .Values.notebooks.from -}}
{{- include "spark-namespace.hasGuard" . -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.guardedSecrets" -}}
{{- $security := .Values.global.security -}}
{{- $shared := eq $security.profile "hardened" | ternary $security.authSecret.name "" -}}
{{- $kerberos := .Values.global.kerberos -}}
{{- list $shared .Values.global.eventLog.secret.name .Values.global.s3.secret.name .Values.global.ivySettings.name $kerberos.keytab.name $kerberos.tokens.name | concat .Values.guard.secrets .Values.image.pullSecrets | uniq | compact | toYaml -}}
{{- end }}
