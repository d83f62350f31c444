import { ExecuteContext, RoutingNode } from 'n8n-core';
import { createEmptyRunExecutionData, Workflow } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	ICredentialType,
	IHttpRequestOptions,
	INode,
	INodeType,
	INodeTypes,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { createRequire } from 'node:module';
import process from 'node:process';

/** n8n's lookup of fields, which also finds inherited properties of a string. */
const { get } = createRequire(`${process.cwd()}/package.json`)('lodash') as {
	get(value: unknown, path: string): unknown;
};

type Authenticate = (
	data: ICredentialDataDecryptedObject,
	request: IHttpRequestOptions,
) => Promise<IHttpRequestOptions>;

/**
 * Does the same as n8n's credentials-tester.service, which is not part of n8n-core: runs a routing node with only the test
 * request, by n8n-core and n8n's own HTTP client.
 *
 * @returns `OK`, or the message that n8n shows
 */
export async function testCredential(
	type: ICredentialType,
	data: ICredentialDataDecryptedObject,
): Promise<string> {
	const node: INode = {
		id: 'temp',
		name: 'Temp-Node',
		type: 'temp',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		credentials: { [type.name]: { id: '1', name: 'x' } },
	};
	const properties = [
		{
			displayName: 'Temp',
			name: 'temp',
			type: 'string',
			routing: { request: type.test!.request },
			default: '',
		},
	];
	const nodeType = {
		description: {
			name: 'temp',
			version: 1,
			credentials: [{ name: type.name, required: true }],
			properties,
		},
	} as unknown as INodeType;
	const nodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	} as unknown as INodeTypes;
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const credentialsHelper = {
		getParentTypes: () => [],
		preAuthentication: async () => undefined,
		authenticate: async (
			credentials: ICredentialDataDecryptedObject,
			_name: string,
			request: IHttpRequestOptions,
		) => await (type.authenticate as Authenticate)(credentials, request),
	};
	const context = new ExecuteContext(
		workflow,
		node,
		{ credentialsHelper } as unknown as IWorkflowExecuteAdditionalData,
		'internal',
		createEmptyRunExecutionData(),
		0,
		[],
		{ main: [[{ json: {} }]] },
		{ node, data: {}, source: null },
		[],
	);
	try {
		await workflow.expression.acquireIsolate();
		const outputs = await new RoutingNode(context, nodeType, {
			id: '1',
			name: 'x',
			type: type.name,
			data,
		}).runNode();
		return bodyRule(outputs![0]![0]!.json, type) ?? 'OK';
	} catch (error) {
		return messageOf(error, type);
	} finally {
		await workflow.expression.releaseIsolate();
	}
}

/** Message of the first matching rule. */
function bodyRule(
	answer: unknown,
	{ test: { rules = [] } = { request: {} } }: ICredentialType,
): string | undefined {
	const found = rules.find(
		({ type, properties }) =>
			type === 'responseSuccessBody' && get(answer, properties.key) === properties.value,
	);
	return found?.properties.message;
}

function messageOf(error: unknown, type: ICredentialType): string {
	const { cause, message } = error as {
		message: string;
		cause?: { code?: string; response?: { status: number; statusText: string } };
	};
	if (cause?.response === undefined) return cause?.code ?? message;
	const { status, statusText } = cause.response;
	const rule = type.test!.rules?.find(
		({ type: kind, properties }) => kind === 'responseCode' && properties.value === status,
	);
	return rule?.properties.message ?? statusText;
}
