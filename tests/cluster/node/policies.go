package main

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// newPolicyCommand returns the program that enforces NetworkPolicies: it judges the packets that a rule of the kernel's
// filter hands to queue 100. Its own rule needs a part of nftables that not every kernel has; the tests set another.
func newPolicyCommand() *cobra.Command {
	var kubeconfig, node string
	command := &cobra.Command{
		Use: "kube-network-policies",
		RunE: func(command *cobra.Command, _ []string) error {
			return judgePackets(command.Context(), kubeconfig, node)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "the file that leads to the API")
	command.Flags().StringVar(&node, "hostname-override", "", "the name of the node")
	return command
}

func judgePackets(ctx context.Context, kubeconfig, node string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	controller, err := networkpolicy.NewController(client, factory.Networking().V1().NetworkPolicies(), core.Namespaces(),
		core.Pods(), nil, nil, nil, nil, networkpolicy.Config{QueueID: 100, NodeName: node})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return controller.Run(ctx)
}
