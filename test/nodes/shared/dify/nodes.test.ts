import type { IDataObject, INodeListSearchResult } from 'n8n-workflow';
import { countRequests, startApp, startSim, UNKNOWN_ID } from '../../../lib/dify/client';
import type { Json, FormField } from '../../../simulators/dify';
import {
	getItemError,
	prepare,
	execute,
	byId,
	executeNode,
	getNodeError,
	prepareNode,
	getProperties,
	createEditorContext,
} from '../../dify';
import type { DifyNodeName } from '../../dify';
import { DifyApp } from '../../../../nodes/DifyApp/DifyApp.node';
import { getConversationKey } from '../../../../nodes/DifyChatMessage/send';
import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyWorkflow } from '../../../../nodes/DifyWorkflow/DifyWorkflow.node';
import { NodeParameters } from '../../../../nodes/shared/parameters';

describe('inputs', () => {
	test('the form is fetched once for all items, and not at all if nothing is filled in', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city' }],
		});
		await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }, { json: {} }],
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(countRequests(sim, '/parameters', 'GET')).toBe(1);
		await execute(prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: null } } }));
		await execute(
			prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: { city: null } } } }),
		);
		expect(countRequests(sim, '/parameters', 'GET')).toBe(1);
	});

	test('a form that could not be loaded is fetched again by the next item', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city' }],
		});
		sim.fail({
			path: '/parameters',
			status: 400,
			body: '{"code":"app_unavailable","message":"App unavailable","status":400}',
			contentType: 'application/json',
		});
		const items = await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }],
				continueOnFail: true,
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(items.map((item) => getItemError(item)?.type ?? item.json.answer)).toEqual([
			'appUnavailable',
			'You said: hi',
		]);
	});
});

/** Every operation with a user, without the fields that determine it. */
const OPERATIONS: Array<[DifyNodeName, Json]> = [
	['difyChatMessage', {}],
	['difyFeedback', { operation: 'rate' }],
	['difyFeedback', { operation: 'revoke' }],
	['difyConversation', { resource: 'conversation', operation: 'getAll' }],
	['difyConversation', { resource: 'conversation', operation: 'rename', name: 'x' }],
	['difyConversation', { resource: 'conversation', operation: 'delete' }],
	['difyConversation', { resource: 'message', operation: 'getAll' }],
	['difyConversation', { resource: 'message', operation: 'getSuggested' }],
	['difyConversation', { resource: 'variable', operation: 'getAll' }],
	['difyConversation', { resource: 'variable', operation: 'update', value: 'x' }],
	['difyWorkflow', { resource: 'run', operation: 'execute' }],
	['difyWorkflow', { resource: 'run', operation: 'follow', workflowRunId: UNKNOWN_ID }],
	['difyApp', { resource: 'text', operation: 'generate' }],
];
const IDS = {
	messageId: UNKNOWN_ID,
	conversationId: byId(UNKNOWN_ID),
	variableId: byId(UNKNOWN_ID),
};

describe('User', () => {
	test.each([
		new DifyApp(),
		new DifyChatMessage(),
		new DifyConversation(),
		new DifyFeedback(),
		new DifyWorkflow(),
	])(
		'is empty by default, and its description says who that is: $description.displayName',
		(node) => {
			const users = getProperties(node).filter(({ name }) => name === 'user');
			expect(users.length).toBeGreaterThan(0);
			for (const user of users) {
				expect(user).toMatchObject({ default: '', placeholder: 'e.g. user-42' });
				expect(user.description).toContain('If empty: the session of the Chat Trigger');
				expect(user.required).toBeUndefined();
			}
		},
	);

	test.each(OPERATIONS)('an empty expression sends nothing: %s %j', async (name, operation) => {
		const sim = await startSim();
		const failed = executeNode(name, sim, {
			parameters: { ...IDS, ...operation, user: '' },
			written: { user: '={{ $json.author }}' },
		});
		expect((await getNodeError(failed)).message).toBe('This item has no author');
		expect(sim.requests).toHaveLength(0);
	});

	test('left empty, every item has its own', async () => {
		const sim = await startSim();
		await executeNode('difyChatMessage', sim, {
			parameters: { user: '' },
			items: [
				{ json: { sessionId: 'chat-3', user: 'anna' } },
				{ json: { user: 'ben' } },
				{ json: { user: 7 } },
				{ json: {} },
			],
		});
		expect(sim.runs.map(({ user }) => user)).toEqual(['chat-3', 'ben', '7', 'n8n-w1']);
	});

	test('left empty, messages of one session are sent in order, those of several concurrently', () => {
		const getKey = (json: IDataObject) => {
			const { context } = prepareNode(
				'difyChatMessage',
				{ url: 'http://127.0.0.1:1' },
				{ parameters: { user: '', conversation: 'latest' }, items: [{ json }] },
			);
			const fields = new DifyChatMessage().description.properties;
			return getConversationKey(new NodeParameters(context, 0, fields));
		};
		expect(getKey({ sessionId: 'a' })).toBe('latest a');
		expect(getKey({ user: 'b' })).toBe('latest b');
		expect(getKey({})).toBe('latest n8n-w1');
	});
});

describe('lists in the editor', () => {
	const { searchConversations } = new DifyConversation().methods.listSearch;

	test('conversations page by page, by name and by ID', async () => {
		const sim = await startSim();
		const ids = Array.from(
			{ length: 150 },
			(_, at) =>
				sim.store.addConversation(sim.app('chat'), 'anna', { name: `Talk ${at}`, updatedAt: at })
					.id,
		);
		const context = createEditorContext(sim, { user: 'anna' });
		const first: INodeListSearchResult = await searchConversations.call(context);
		expect([first.results.length, first.results[0]!.name, first.paginationToken]).toEqual([
			100,
			'Talk 149',
			ids[50],
		]);
		const second = await searchConversations.call(
			context,
			undefined,
			first.paginationToken as string,
		);
		expect([second.results.length, second.paginationToken]).toEqual([50, undefined]);
		expect((await searchConversations.call(context, ids[149]!.slice(0, 36))).results).toHaveLength(
			1,
		);
	});

	test('a search goes through all pages: a list with few results cannot be scrolled', async () => {
		const sim = await startSim();
		for (let at = 0; at < 350; at++)
			sim.store.addConversation(sim.app('chat'), 'anna', { name: `Talk ${at}`, updatedAt: at });
		const context = createEditorContext(sim, { user: 'anna' });
		const search = async (filter: string): Promise<INodeListSearchResult> =>
			await searchConversations.call(context, filter);
		expect((await search('talk 77')).results.map(({ name }) => name)).toEqual(['Talk 77']);
		expect((await search('TALK 34')).results).toHaveLength(11);
		expect(await search('nothing like it')).toEqual({ results: [] });
		expect(countRequests(sim, '/conversations', 'GET')).toBe(12);
		// A list that can be scrolled continues where it ended.
		const first = await search('talk');
		expect([first.results.length, countRequests(sim, '/conversations', 'GET')]).toEqual([100, 13]);
		expect(
			(await searchConversations.call(context, 'talk', first.paginationToken as string)).results[0]!
				.name,
		).toBe('Talk 249');
	});

	test('the list requires a fixed user instead of an expression', async () => {
		const sim = await startSim();
		for (const user of ['', undefined, new Error('no item')])
			await expect(searchConversations.call(createEditorContext(sim, { user }))).rejects.toThrow(
				'The list requires a user',
			);
		expect(sim.requests).toHaveLength(0);
	});

	test("the app's form as typed fields", async () => {
		const form: FormField[] = [
			{ kind: 'text-input', variable: 'city', label: 'City', required: true, default: 'Rome' },
			{ kind: 'select', variable: 'unit', options: ['C', 'F'] },
			{ kind: 'checkbox', variable: 'terse' },
			{ kind: 'json_object', variable: 'extra' },
			{ kind: 'file-list', variable: 'papers', label: 'Papers' },
			{ kind: 'external_data_tool', variable: 'tool' },
		];
		const sim = await startApp({ mode: 'chat', form });
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const { fields } = await getForm.call(createEditorContext(sim, {}));
		expect(
			fields.map(({ id, type, required, displayName }) => [id, type, required, displayName]),
		).toEqual([
			['city', 'string', true, 'City'],
			['unit', 'options', false, 'unit'],
			['terse', 'boolean', false, 'terse'],
			['extra', 'object', false, 'extra'],
			['papers', 'string', false, 'Papers (binary fields or URLs, separated by commas)'],
		]);
		expect(fields[0]).toMatchObject({ defaultValue: 'Rome', display: true });
		expect(fields[1]!.options).toEqual([
			{ name: 'C', value: 'C' },
			{ name: 'F', value: 'F' },
		]);
	});

	test('a form that cannot be loaded shows the reason, and keeps the existing fields', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const unpublished = await startApp({ mode: 'advanced-chat', published: false });
		const loadForm = async (parameters: Record<string, unknown> = {}) =>
			await getForm.call(createEditorContext(unpublished, parameters, 'advanced-chat'));
		const form = await loadForm();
		expect(form.fields).toEqual([]);
		expect(form.emptyFieldsNotice).toMatch(/App unavailable.*publish it/s);
		expect(countRequests(unpublished, '/parameters', 'GET')).toBe(1);

		const flags = { required: true, display: true, defaultMatch: false, removed: false };
		const schema = [{ id: 'city', displayName: 'City', ...flags }];
		expect((await loadForm({ 'inputs.schema': schema })).fields).toEqual(schema);
		for (const odd of [null, {}, 'x'])
			expect((await loadForm({ 'inputs.schema': odd })).fields).toEqual([]);

		const formless = await startApp({ mode: 'chat' });
		expect(await getForm.call(createEditorContext(formless, {}))).toEqual({
			fields: [],
			emptyFieldsNotice: 'This app has no form to fill in.',
		});
	});

	test('a node without a credential sends no request, and explains how to load its fields', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = createEditorContext({ url: 'http://127.0.0.1:1' }, {});
		const getNode = () => ({ ...context.getNode(), credentials: undefined });
		expect(await getForm.call({ ...context, getNode })).toEqual({
			fields: [],
			emptyFieldsNotice: expect.stringMatching(/^After you select a credential/) as string,
		});
	});

	test('server messages are escaped as text', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = createEditorContext({ url: 'http://<img src=x>&/v1' }, {});
		expect((await getForm.call(context)).emptyFieldsNotice).not.toContain('<img');
	});
});
