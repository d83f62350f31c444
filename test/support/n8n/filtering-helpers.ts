import { ExecuteContext } from 'n8n-core';
import { createEmptyRunExecutionData, Workflow } from 'n8n-workflow';
import type { INode, INodeTypes, IWorkflowExecuteAdditionalData } from 'n8n-workflow';

/** With these variables, n8n's egress filter is on, and lets through only 127.0.0.1. */
export const FILTER_VARIABLES = {
	N8N_SSRF_PROTECTION_ENABLED: 'true',
	N8N_SSRF_ALLOWED_IP_RANGES: '127.0.0.1/32',
	N8N_SSRF_BLOCKED_HOSTNAMES: 'localhost',
};

/** n8n's helpers of a node while the filter is on. */
export function filteringHelpers(): object {
	const node: INode = {
		id: '1',
		name: 'Node',
		type: 'x',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
	const nodeType = { description: { properties: [] } };
	const nodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	} as unknown as INodeTypes;
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const additionalData = {} as IWorkflowExecuteAdditionalData;
	const executed = { node, data: {}, source: null };
	const data = createEmptyRunExecutionData();
	return new ExecuteContext(workflow, node, additionalData, 'manual', data, 0, [], {}, executed, [])
		.helpers;
}
