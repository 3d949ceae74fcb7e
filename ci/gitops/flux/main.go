// What Flux's controllers apply and compare with, without the controllers: its package ssa.
//
// Usage: flux-ssa apply|drift --kubeconfig FILE MANIFESTS. It prints a JSON object, kind/namespace/name -> what was done
// or what differs. "apply" does as kustomize-controller at each interval; "drift" as helm-controller with
// spec.driftDetection.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	kustomize = "kustomize.toolkit.fluxcd.io"
	helm      = "helm.toolkit.fluxcd.io"
	deadline  = 60 * time.Second
)

func main() {
	log.SetLogger(ctrl.Log.WithSink(nil))
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || (args[0] != "apply" && args[0] != "drift") {
		return fmt.Errorf("first argument is apply or drift")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	kubeconfigs := flags.String("kubeconfig", "", "of the cluster's admin")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	objects, err := utils.ReadObjects(bytes.NewReader(text))
	if err != nil {
		return err
	}
	if err := normalize.UnstructuredList(objects); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfigs)
	if err != nil {
		return err
	}
	kube, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	doing := map[string]func(context.Context, client.Client, []*unstructured.Unstructured) (map[string]string, error){
		"apply": apply, "drift": drift,
	}
	done, err := doing[args[0]](ctx, kube, objects)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(done)
}

func apply(ctx context.Context, kube client.Client, objects []*unstructured.Unstructured) (map[string]string, error) {
	options := ssa.DefaultApplyOptions()
	options.ExclusionSelector = map[string]string{kustomize + "/reconcile": "disabled", kustomize + "/ssa": "ignore"}
	options.IfNotPresentSelector = map[string]string{kustomize + "/ssa": "IfNotPresent"}
	manager := ssa.NewResourceManager(kube, nil, ssa.Owner{Field: "kustomize-controller", Group: kustomize})
	changes, err := manager.ApplyAll(ctx, objects, options)
	if err != nil {
		return nil, err
	}
	done := map[string]string{}
	for _, entry := range changes.Entries {
		done[entry.Subject] = entry.Action.String()
	}
	return done, nil
}

func drift(ctx context.Context, kube client.Client, objects []*unstructured.Unstructured) (map[string]string, error) {
	options := []jsondiff.ListOption{
		jsondiff.FieldOwner("helm-controller"),
		jsondiff.ExclusionSelector{helm + "/driftDetection": "disabled"},
		jsondiff.Rationalize(true),
	}
	found, err := jsondiff.UnstructuredList(ctx, kube, objects, options...)
	if err != nil {
		return nil, err
	}
	done := map[string]string{}
	for _, one := range found {
		if one.Type == jsondiff.DiffTypeNone || one.Type == jsondiff.DiffTypeExclude {
			continue
		}
		subject := utils.FmtUnstructured(one.DesiredObject.(*unstructured.Unstructured))
		done[subject] = fmt.Sprintf("%s %s", one.Type, one.Patch.String())
	}
	return done, nil
}
