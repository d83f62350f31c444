import * as fc from 'fast-check';
import { ExecuteContext } from 'n8n-core';
import { createEmptyRunExecutionData, NodeHelpers, Workflow } from 'n8n-workflow';
import type {
	IDataObject,
	INode,
	INodeParameters,
	INodeType,
	INodeTypes,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../nodes/DifyFeedback/DifyFeedback.node';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { NodeParameters } from '../../../nodes/shared/parameters';

/** Reads parameters over n8n's own context, which evaluates expressions and takes resource locators apart. */
async function reading<T>(
	nodeType: INodeType,
	parameters: IDataObject,
	read: (parameters: NodeParameters) => T,
	{ id, json, before = [] }: { id?: string; json: IDataObject; before?: IDataObject[] } = {
		id: 'w1',
		json: { text: 'hello', off: 'perhaps', many: 7 },
	},
): Promise<T> {
	const { description } = nodeType;
	const node: INode = {
		id: '1',
		name: 'Node',
		type: description.name,
		typeVersion: 1,
		position: [0, 0],
		parameters: parameters as INodeParameters,
	};
	const nodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	} as unknown as INodeTypes;
	// As n8n does, it fills in the defaults of what is shown.
	const workflow = new Workflow({ id, nodes: [node], connections: {}, active: false, nodeTypes });
	const items = [...before, json].map((of) => ({ json: of }));
	const context = new ExecuteContext(
		workflow,
		workflow.getNode('Node')!,
		{} as IWorkflowExecuteAdditionalData,
		'manual',
		createEmptyRunExecutionData(),
		0,
		items,
		{ main: [items] },
		{ node, data: { main: [items] }, source: null },
		[],
	);
	await workflow.expression.acquireIsolate();
	try {
		return read(new NodeParameters(context, before.length, description.properties));
	} finally {
		await workflow.expression.releaseIsolate();
	}
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
		const operations = properties
			.filter(({ name }) => name === 'operation')
			.flatMap(({ options = [] }) => options);
		for (const { value: operation } of operations.length === 0
			? [{ value: undefined }]
			: (operations as Array<{ value: unknown }>)) {
			const given = operation === undefined ? {} : ({ operation } as IDataObject);
			for (const { name, default: preset, type } of properties) {
				// n8n finds a locator only where it is shown; the nodes read those of their operation.
				if (type === 'resourceLocator') continue;
				const value = await reading(node, given, (parameters) => parameters.value(name));
				const isExpression = typeof preset === 'string' && preset.startsWith('=');
				if (name !== 'operation' && !isExpression)
					expect({ name, value }).toEqual({ name, value: preset });
			}
		}
	});

	it.each<[string | undefined, IDataObject, string]>([
		['w1', {}, 'n8n-w1'],
		['w1', { sessionId: 'chat-3', user: 'anna' }, 'chat-3'],
		['w1', { user: 'anna' }, 'anna'],
		[undefined, { user: 'anna' }, 'anna'],
		[undefined, {}, 'n8n'],
	])('the default user in workflow %p with the item %p is %p', async (id, json, user) => {
		for (const node of [new DifyChatMessage(), new DifyFeedback()])
			expect(await reading(node, {}, (parameters) => parameters.name('user'), { id, json })).toBe(
				user,
			);
	});

	it('an expression that joins fixed texts and fields is what n8n evaluates it to, whatever the item holds', async () => {
		const node = new DifyChatMessage();
		const refused = fc.constantFrom(
			...[
				'constructor',
				'toString',
				'__proto__',
				'prototype',
				'mainModule',
				'mainModules',
				'constructorId',
			],
			...[
				'constructors',
				'globalThis',
				'globalThisOne',
				'hasOwnProperty',
				'class',
				'caller',
				'missing',
			],
		);
		const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('text', 'a_1', '_') }, refused);
		const value = fc.oneof(
			fc.string({ unit: 'grapheme' }),
			fc.string({ unit: 'binary' }),
			fc.jsonValue(),
			fc.constantFrom('=1', '={{ 1 }}', '{{ 1 }}', '$json.text', '}}', '\\'),
		);
		const space = fc.constantFrom('', ' ', '\n', '  ', '\u00a0', '\u2028');
		const read = async (query: string, json: IDataObject, before: IDataObject[]) =>
			await reading(node, { query }, (parameters) => parameters.value('query'), {
				json,
				before,
			}).catch((error: unknown) => String(error));
		// Braces and signs of JavaScript are frequent, so that many of the expressions are nearly one of these.
		const text = fc.oneof(
			fc.string({ unit: 'grapheme', maxLength: 5 }),
			fc.string({ unit: 'binary', maxLength: 5 }),
			fc.string({ unit: fc.constantFrom(...'{}$=\\"\'`.\n\u2028 ') }),
			fc.constantFrom(
				'{{',
				'}}',
				'{"a": "',
				'. constructor',
				'.length (',
				'$if(',
				'{{ 1 }}',
				'/*',
				'$json.text',
			),
		);
		const part = fc.oneof(
			{ weight: 2, arbitrary: text },
			{
				weight: 3,
				arbitrary: fc.tuple(space, name, space).map(([a, of, b]) => `{{${a}$json.${of}${b}}}`),
			},
		);
		await fc.assert(
			fc.asyncProperty(
				fc.array(part, { maxLength: 5 }),
				fc.array(fc.tuple(name, value), { maxLength: 2 }),
				async (parts, held) => {
					const json = {
						text: 'a text',
						a_1: '',
						_: '"',
						...Object.fromEntries(held),
					} as IDataObject;
					const written = `=${parts.join('')}`;
					// n8n evaluates it where there is one item.
					expect(await read(written, json, [{ text: 'another item' }])).toEqual(
						await read(written, json, []),
					);
				},
			),
			// Without a field, n8n's result can be another text: it finds the code of `toString` in what every object has.
			{
				examples: ['toString', 'constructor', '__proto__'].map((text): [string[], []] => [
					[text],
					[],
				]),
			},
		);
	});

	it('expressions in collections and locators are evaluated, and wrong values are told by the label', async () => {
		const node = new ServerHealth();
		const given = {
			operation: 'speedTest',
			model: { __rl: true, mode: 'id', value: '={{ $json.text }}' },
			tokens: '={{ $json.many }}',
			needed: { minContext: '={{ $json.missing }}' },
			options: { failWhenUnhealthy: '={{ $json.off }}' },
		};
		expect(await reading(node, given, (parameters) => parameters.name('model'))).toBe('hello');
		expect(await reading(node, given, (parameters) => parameters.number('tokens'))).toBe(7);
		expect(
			await reading(node, given, (parameters) => parameters.number('needed.minContext', 'none')),
		).toBe('none');
		await expect(
			reading(node, given, (parameters) => parameters.flag('options.failWhenUnhealthy')),
		).rejects.toThrow('The field "Fail When Unhealthy" must be true or false, but is "perhaps"');
	});

	it('n8n fills in the defaults of the operation that is chosen, though several have a field of that name', () => {
		const { description } = new ServerHealth();
		const filled = NodeHelpers.getNodeParameters(
			description.properties,
			{ operation: 'waitUntilReady', options: { timeLimit: 5 } },
			true,
			false,
			null,
			description,
		);
		expect(filled).toEqual({
			service: 'modelServer',
			operation: 'waitUntilReady',
			needed: {},
			options: { timeLimit: 5 },
		});
	});
});
