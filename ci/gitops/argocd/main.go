// Argo CD's engine without its server: compares manifests with a cluster, or syncs them, once, and says what differed.
//
// Usage: argocd-engine diff|sync --kubeconfig FILE --app NAME --namespace NAME [--tracking label|annotation] MANIFESTS.
// It prints a JSON object: kind/namespace/name of what differs -> the patch that Argo CD would see. A sync prunes, as an
// Application with automated sync, prune and selfHeal does whenever something differs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/common"
	argokube "github.com/argoproj/argo-cd/v3/util/kube"
	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/engine"
	"github.com/argoproj/gitops-engine/pkg/sync"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const deadline = 60 * time.Second

type application struct {
	name, namespace, tracking string
	manifests                 []*unstructured.Unstructured
	config                    *rest.Config
	cache                     cache.ClusterCache
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || (args[0] != "diff" && args[0] != "sync") {
		return fmt.Errorf("first argument is diff or sync")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of the cluster's admin")
	app := application{}
	flags.StringVar(&app.name, "app", "", "name of the Application")
	flags.StringVar(&app.namespace, "namespace", "default", "of its destination")
	flags.StringVar(&app.tracking, "tracking", "annotation", "application.resourceTrackingMethod: annotation or label")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	if app.manifests, err = kube.SplitYAML(text); err != nil {
		return err
	}
	if app.config, err = clientcmd.BuildConfigFromFlags("", *kubeconfig); err != nil {
		return err
	}
	app.cache = cache.NewClusterCache(app.config, cache.SetLogr(logr.Discard()), cache.SetPopulateResourceInfoHandler(app.owner))
	if err := app.cache.EnsureSynced(); err != nil {
		return err
	}
	differs, err := app.compare()
	if err != nil {
		return err
	}
	if args[0] == "sync" {
		if err := app.sync(); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(differs)
}

// owner is what the cache keeps of an object: the Application that it belongs to, and its manifest if there is one.
func (a *application) owner(object *unstructured.Unstructured, _ bool) (any, bool) {
	owner := object.GetLabels()[common.LabelKeyAppInstance]
	if a.tracking == "annotation" {
		owner = object.GetAnnotations()[common.AnnotationKeyAppInstance]
	}
	return owner, owner != ""
}

// tracked marks a manifest as Argo CD does before it compares.
func (a *application) tracked(object *unstructured.Unstructured) error {
	if a.tracking == "label" {
		return argokube.SetAppInstanceLabel(object, common.LabelKeyAppInstance, a.name)
	}
	return argokube.SetAppInstanceAnnotation(object, common.AnnotationKeyAppInstance, a.id(object))
}

func (a *application) id(object *unstructured.Unstructured) string {
	kind := object.GroupVersionKind()
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = a.namespace
	}
	return fmt.Sprintf("%s:%s/%s:%s/%s", a.name, kind.Group, kind.Kind, namespace, object.GetName())
}

func (a *application) isManaged(resource *cache.Resource) bool {
	owner, _ := resource.Info.(string)
	if a.tracking == "label" {
		return owner == a.name
	}
	key := resource.ResourceKey()
	namespace := key.Namespace
	if namespace == "" {
		namespace = a.namespace
	}
	return owner == fmt.Sprintf("%s:%s/%s:%s/%s", a.name, key.Group, key.Kind, namespace, key.Name)
}

func (a *application) compare() (map[string]string, error) {
	for _, object := range a.manifests {
		if err := a.tracked(object); err != nil {
			return nil, err
		}
	}
	live, err := a.cache.GetManagedLiveObjs(a.manifests, a.isManaged)
	if err != nil {
		return nil, err
	}
	reconciled := sync.Reconcile(a.manifests, live, a.namespace, a.cache)
	differs := map[string]string{}
	for i := range reconciled.Target {
		target, present := reconciled.Target[i], reconciled.Live[i]
		if present == nil {
			differs[name(target)] = "missing"
			continue
		}
		if target == nil {
			differs[name(present)] = "extra"
			continue
		}
		result, err := diff.Diff(target, present, diff.WithLogr(logr.Discard()))
		if err != nil {
			return nil, err
		}
		if result.Modified {
			differs[name(target)] = fmt.Sprintf("live %s, wanted %s", result.NormalizedLive, result.PredictedLive)
		}
	}
	return differs, nil
}

func (a *application) sync() error {
	syncing := engine.NewEngine(a.config, a.cache, engine.WithLogr(logr.Discard()))
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	results, err := syncing.Sync(ctx, a.manifests, a.isManaged, "manifests", a.namespace, sync.WithPrune(true), sync.WithLogr(logr.Discard()))
	if err != nil {
		return err
	}
	for _, result := range results {
		if result.Status == synccommon.ResultCodeSyncFailed {
			return fmt.Errorf("%s: %s", result.ResourceKey.String(), result.Message)
		}
	}
	return nil
}

func name(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s/%s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
}
