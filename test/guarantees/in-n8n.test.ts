/** The nodes in n8n's own contexts, with the parameters and expressions of a workflow. */
import { ExecuteContext, SupplyDataContext } from 'n8n-core';
import { createEmptyRunExecutionData, NodeConnectionTypes, Workflow } from 'n8n-workflow';
import type {
	IDataObject,
	INode,
	INodeParameters,
	INodePropertyOptions,
	INodeType,
	INodeTypes,
	ITaskDataConnections,
	NodeConnectionType,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { isDeepStrictEqual } from 'node:util';
import { DifyApp } from '../../nodes/DifyApp/DifyApp.node';
import { DifyChatMessage } from '../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyKnowledge } from '../../nodes/DifyKnowledge/DifyKnowledge.node';
import { DifyWorkflow } from '../../nodes/DifyWorkflow/DifyWorkflow.node';
import { LocalChatModel } from '../../nodes/LocalChatModel/LocalChatModel.node';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { ServerHealth } from '../../nodes/ServerHealth/ServerHealth.node';
import { toThinking, THINKING_FIELDS } from '../../lib/chat/body/thinking-fields';
import type { Field, FieldTable } from '../../lib/fields/field';
import { readUser, userField } from '../../nodes/shared/dify/common-fields';
import { expectationsField } from '../../nodes/shared/fields/check-fields';
import { speedFields } from '../../nodes/ServerHealth/speed-test';
import { ItemSource } from '../../nodes/shared/fields/item-source';
import { optionsField } from '../../nodes/shared/fields/options-field';
import { isAdded, readValues } from '../../nodes/shared/fields/read-values';

/** A workflow of one node. Like n8n, fills in the defaults of visible fields. */
function createWorkflow(nodeType: INodeType, parameters: IDataObject, id: string | undefined) {
	const node: INode = {
		id: '1',
		name: 'Node',
		type: nodeType.description.name,
		typeVersion: 1,
		position: [0, 0],
		parameters: parameters as INodeParameters,
	};
	const nodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	} as unknown as INodeTypes;
	const workflow = new Workflow({ id, nodes: [node], connections: {}, active: false, nodeTypes });
	return { workflow, node: workflow.getNode('Node')! };
}

/** Runs with n8n's isolate, which evaluates expressions. */
async function withExpressions<T>({ expression }: Workflow, run: () => T): Promise<T> {
	await expression.acquireIsolate();
	try {
		return run();
	} finally {
		await expression.releaseIsolate();
	}
}

/** Reads parameters through n8n's own context, which evaluates expressions and resolves resource locators. */
async function reading<T>(
	nodeType: INodeType,
	parameters: IDataObject,
	read: (source: ItemSource) => T,
	{ id, json }: { id?: string; json: IDataObject } = {
		id: 'w1',
		json: { text: 'hello', off: 'perhaps', many: 7 },
	},
): Promise<T> {
	const { description } = nodeType;
	const { workflow, node } = createWorkflow(nodeType, parameters, id);
	const items = [{ json }];
	const inputs: ITaskDataConnections = { main: [items] };
	const executeData = { node, data: inputs, source: null };
	const common = [
		workflow,
		node,
		{} as IWorkflowExecuteAdditionalData,
		'manual',
		createEmptyRunExecutionData(),
		0,
		items,
		inputs,
	] as const;
	const [output] = description.outputs as NodeConnectionType[];
	const context =
		output === NodeConnectionTypes.AiLanguageModel
			? new SupplyDataContext(...common, output, executeData, [])
			: new ExecuteContext(...common, executeData, []);
	return await withExpressions(workflow, () => read(new ItemSource(context, 0)));
}

const readNodeUser = (source: ItemSource) =>
	readUser(source, readValues(source, { user: userField }));

/** Result of an expression about the node, as the editor evaluates subtitles. */
async function evaluated(nodeType: INodeType, parameters: IDataObject, expression: string) {
	const { workflow, node } = createWorkflow(nodeType, parameters, 'w1');
	return await withExpressions(workflow, () =>
		workflow.expression.getSimpleParameterValue(node, expression, 'internal', {}),
	);
}

describe("with n8n's own context", () => {
	it.each<[string, INodeType]>([
		['Dify Chat Message', new DifyChatMessage()],
		['Dify Conversation', new DifyConversation()],
		['Dify Feedback', new DifyFeedback()],
		['Local Chat Model', new LocalChatModel()],
		['Server Health', new ServerHealth()],
	])('every field of an untouched node can be read, shown or hidden: %s', async (_name, node) => {
		const { properties } = node.description;
		const presetsOf = (field: string) =>
			properties.filter(({ name }) => name === field).map((one) => one.default);
		const operations = properties
			.filter(({ name }) => name === 'operation')
			.flatMap(({ options = [] }) => options);
		const unreadable: string[] = [];
		for (const { value: operation } of operations.length === 0
			? [{ value: undefined }]
			: (operations as Array<{ value: unknown }>)) {
			const values = operation === undefined ? {} : ({ operation } as IDataObject);
			for (const { name, default: preset, type } of properties) {
				// n8n resolves only visible locators; the nodes read those of their operation.
				if (type === 'resourceLocator') continue;
				const field = { kind: 'text', label: name, default: preset } as Field;
				const value = await reading(node, values, (source) => source.read(name, field));
				const isExpression = typeof preset === 'string' && preset.startsWith('=');
				const isPreset = presetsOf(name).some((one) => isDeepStrictEqual(one, value));
				if (name !== 'operation' && !isExpression && !isPreset) unreadable.push(name);
			}
		}
		expect(unreadable).toEqual([]);
	});

	it.each<[string | undefined, IDataObject, string]>([
		['w1', {}, 'n8n-w1'],
		['w1', { sessionId: 'chat-3', user: 'anna' }, 'chat-3'],
		['w1', { user: 'anna' }, 'anna'],
		[undefined, { user: 'anna' }, 'anna'],
		[undefined, {}, 'n8n'],
	])('the default user in workflow %p with the item %p is %p', async (id, json, user) => {
		for (const node of [new DifyChatMessage(), new DifyFeedback()])
			expect(await reading(node, {}, readNodeUser, { id, json })).toBe(user);
	});

	it.each(['={{ $json.author }}', '={{ "" }}', '='])(
		'the expression %p, which returns nothing, is not replaced by the default user',
		async (user) => {
			for (const node of [new DifyChatMessage(), new DifyFeedback()])
				await expect(reading(node, { user }, readNodeUser)).rejects.toThrow('The user is empty');
		},
	);

	it('expressions in collections and locators are evaluated, and errors name the label of wrong values', async () => {
		const node = new ServerHealth();
		const values = {
			operation: 'speedTest',
			model: { __rl: true, mode: 'id', value: '={{ $json.text }}' },
			tokens: '={{ $json.many }}',
			expectations: { minContext: '={{ $json.missing }}' },
			options: { failWhenUnhealthy: '={{ $json.off }}' },
		};
		const fields = {
			...speedFields,
			expectations: expectationsField,
			options: optionsField({
				failWhenUnhealthy: { kind: 'switch', label: 'Fail When Unhealthy', default: true },
			}),
		} as const satisfies FieldTable;
		const read = await reading(node, values, (source) => {
			const { model, tokens, expectations } = readValues(source, fields);
			return [model, tokens, expectations?.minContext];
		});
		expect(read).toEqual(['hello', 7, undefined]);
		await expect(
			reading(node, values, (source) => readValues(source, fields).options.failWhenUnhealthy),
		).rejects.toThrow('The field "Fail When Unhealthy" must be true or false, but is "perhaps"');
	});

	it('an option whose expression returns nothing was added; options that depend on another one are read', async () => {
		const options = {
			messagesJson: '={{ $json.missing }}',
			thinking: 'effort',
			thinkingEffort: '={{ "high" }}',
		};
		const values = { resource: 'text', operation: 'chat', options };
		const text = { kind: 'text', label: 'Messages' } as const;
		const fields = {
			options: optionsField({ messages: text, messagesJson: text, ...THINKING_FIELDS }),
		};
		const readOptions = (source: ItemSource) => {
			const { options } = readValues(source, fields);
			return [isAdded(options, 'messages'), isAdded(options, 'messagesJson'), toThinking(options)];
		};
		expect(await reading(new LocalLlama(), values, readOptions)).toEqual([
			false,
			true,
			{ mode: 'effort', effort: 'high' },
		]);
	});

	it.each([
		new DifyApp(),
		new DifyConversation(),
		new DifyFeedback(),
		new DifyKnowledge(),
		new DifyWorkflow(),
		new LocalLlama(),
	])('the subtitle says what the operation does: $description.displayName', async (node) => {
		const { properties, subtitle } = node.description;
		for (const { name, options, displayOptions } of properties) {
			if (name !== 'operation') continue;
			const resource = displayOptions?.show?.resource?.[0] as string | undefined;
			const resources = properties.find((property) => property.name === 'resource')?.options;
			const label = (resources as INodePropertyOptions[] | undefined)?.find(
				(option) => option.value === resource,
			)?.name;
			for (const { name: operation, value } of options as INodePropertyOptions[]) {
				const chosen = { ...(resource === undefined ? {} : { resource }), operation: value };
				const expected = label === undefined ? operation : `${label}: ${operation}`;
				expect(await evaluated(node, chosen, subtitle!)).toBe(expected);
			}
		}
	});

	it.each([
		{ resource: 'text', operation: 'chat', field: 'prompt' },
		{ resource: 'text', operation: 'complete', field: 'prompt' },
		{ resource: 'text', operation: 'extract', field: 'text' },
		{ resource: 'text', operation: 'classify', field: 'text' },
		{ resource: 'vector', operation: 'embed', field: 'text' },
		{ resource: 'vector', operation: 'rerank', field: 'query' },
		{ resource: 'vector', operation: 'rerank', field: 'document', type: 'json' },
	])(
		'as a tool of an agent, $resource $operation gets $field from the agent',
		({ field, type = 'string', ...parameters }) => {
			const getDefault = (name: string) => {
				const { description } = new LocalLlama();
				const nodeType = { description: { ...description, name } } as INodeType;
				return createWorkflow(nodeType, parameters, 'w1').node.parameters[field];
			};
			expect(getDefault('localLlamaTool')).toMatch(
				/^=\{\{ \/\*n8n-auto-generated-fromAI-override\*\/ \$fromAI\('[a-z]+', `[A-Z][^`]+`, '[a-z]+'\) \}\}$/,
			);
			expect(getDefault('localLlamaTool')).toContain(`'${type}')`);
			expect(String(getDefault('localLlama'))).not.toContain('$fromAI');
		},
	);
});
