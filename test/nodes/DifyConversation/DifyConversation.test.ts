import type { ILoadOptionsFunctions, INodeExecutionData, INodeListSearchResult } from 'n8n-workflow';

import type { DifyAppMode } from '../../../lib/dify/types';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';
import { SIM_VERSIONS, appKey, type AppSpec, type DifySim, type FormField } from '../../servers/dify';
import { UNKNOWN_ID, calls, clientOf, say, startApp, startSim } from '../../lib/dify/client';
import { errorIn, executeNode, type Setup } from '../dify';

const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });

async function execute(
	sim: DifySim,
	resource: string,
	operation: string,
	parameters: Record<string, unknown> = {},
	mode: DifyAppMode = 'chat',
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executeNode('difyConversation', sim, {
		mode,
		...setup,
		parameters: { resource, operation, ...parameters },
	});
}

describe.each(SIM_VERSIONS)('conversations, %s', (version) => {
	test('case 77: list by limit, whole, sorted, of one user', async () => {
		const sim = await startSim({ version });
		for (let at = 0; at < 130; at++)
			sim.store.addConversation(sim.app('chat'), 'u1', { name: `c${at}`, createdAt: 1000 - at, updatedAt: at });
		sim.store.addConversation(sim.app('chat'), 'u2');
		const names = async (parameters: Record<string, unknown>) =>
			(await execute(sim, 'conversation', 'getAll', parameters)).map(({ json }) => json.name);
		expect(await names({ returnAll: true })).toEqual(Array.from({ length: 130 }, (_, at) => `c${129 - at}`));
		expect(await names({ limit: 2 })).toEqual(['c129', 'c128']);
		expect(await names({ limit: 2, options: { sortBy: 'updated_at' } })).toEqual(['c0', 'c1']);
		expect(await names({ limit: 2, options: { sortBy: '-created_at' } })).toEqual(['c0', 'c1']);
		await expect(names({ options: { sortBy: 'name' } })).rejects.toThrow(
			'must be one of -created_at, created_at, -updated_at, updated_at, but is "name"',
		);
		await expect(names({ user: '' })).rejects.toThrow('The user is empty');
	});

	test('case 78: delete', async () => {
		const sim = await startSim({ version });
		const mine = (await say(clientOf(sim))).result.conversationId!;
		const other = (await say(clientOf(sim), { user: 'u2' })).result.conversationId!;
		expect(await execute(sim, 'conversation', 'delete', { conversationId: byId(mine) })).toEqual([
			{ json: { conversationId: mine, deleted: true }, pairedItem: { item: 0 } },
		]);
		await expect(execute(sim, 'conversation', 'delete', { conversationId: byId(other) })).rejects.toThrow(
			'Dify does not find the conversation',
		);
		await expect(execute(sim, 'conversation', 'delete', { conversationId: byId('') })).rejects.toThrow(
			'conversation ID is empty',
		);
		expect([...sim.app('chat').conversations.keys()]).toEqual([other]);
	});

	test('case 79: rename, by hand and by Dify', async () => {
		const sim = await startSim({ version });
		const id = (await say(clientOf(sim), { query: 'How tall?' })).result.conversationId!;
		const name = async (parameters: Record<string, unknown>) =>
			(await execute(sim, 'conversation', 'rename', { conversationId: byId(id), ...parameters }))[0]!.json.name;
		expect(await name({ name: 'Tower' })).toBe('Tower');
		expect(await name({ autoGenerate: true, name: '' })).toBe('About How tall?');
		await expect(name({ name: ' ' })).rejects.toThrow('The name is empty');
	});

	test('messages and suggested questions', async () => {
		const sim = await startApp(version, { mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const first = (await say(clientOf(sim), { query: 'one' })).result;
		await say(clientOf(sim), { query: 'two', conversation: { kind: 'id', id: first.conversationId! } });
		const messages = await execute(sim, 'message', 'getAll', {
			conversationId: byId(first.conversationId),
			returnAll: true,
		});
		expect(messages.map(({ json }) => [json.query, json.answer])).toEqual([
			['one', 'You said: one'],
			['two', 'You said: two'],
		]);
		expect(
			(await execute(sim, 'message', 'getAll', { conversationId: byId(first.conversationId), limit: 1 })).map(
				({ json }) => json.query,
			),
		).toEqual(['two']);
		expect(await execute(sim, 'message', 'getSuggested', { messageId: first.messageId })).toEqual([
			{ json: { messageId: first.messageId, questions: ['Why?', 'How?'] }, pairedItem: { item: 0 } },
		]);
		await expect(execute(sim, 'message', 'getSuggested', { messageId: 'abc' })).rejects.toThrow(
			'message ID is not valid',
		);
		await expect(execute(sim, 'message', 'getAll', { conversationId: byId(UNKNOWN_ID) })).rejects.toThrow(
			'Dify does not find the conversation',
		);
	});

	test('variables: list and update, by ID and by name', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp(version, { mode: 'advanced-chat', variables });
		const id = (await say(clientOf(sim, 'advanced-chat'))).result.conversationId!;
		const set = async (variableId: unknown, value: unknown) =>
			await execute(sim, 'variable', 'update', { conversationId: byId(id), variableId, value }, 'advanced-chat');
		await set({ __rl: true, mode: 'name', value: 'lang' }, 'de');
		const listed = await execute(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(id), returnAll: true },
			'advanced-chat',
		);
		await set(byId(listed[1]!.json.id), '["a","b"]');
		expect(
			(await execute(sim, 'variable', 'getAll', { conversationId: byId(id), limit: 5 }, 'advanced-chat')).map(
				({ json }) => json.value,
			),
		).toEqual(['de', ['a', 'b']]);
		await expect(set({ __rl: true, mode: 'name', value: '' }, 'x')).rejects.toThrow('The field "Variable" is empty');
		await expect(set({ __rl: true, mode: 'name', value: 'tags' }, 'x')).rejects.toThrow('expects array[string]');
	});
});

test('a failure does not lose the others', async () => {
	const sim = await startSim();
	const id = (await say(clientOf(sim))).result.conversationId!;
	const perItem = [{ conversationId: byId(UNKNOWN_ID) }, { conversationId: byId(id) }];
	const items = await execute(sim, 'message', 'getAll', {}, 'chat', {
		items: [{ json: {} }, { json: {} }],
		perItem,
		continueOnFail: true,
	});
	expect(items.map((item) => [item.json.query ?? errorIn(item)!.kind, item.pairedItem])).toEqual([
		['conversationNotFound', { item: 0 }],
		['hi', { item: 1 }],
	]);
});

describe('lists in the editor', () => {
	/** The context of lists, where expressions about items have no value. */
	function editor(
		sim: Pick<DifySim, 'url'>,
		parameters: Record<string, unknown>,
		mode: DifyAppMode = 'chat',
	): ILoadOptionsFunctions {
		return {
			getCredentials: async () => ({ baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' }),
			getNode: () => ({ id: '1', name: 'Dify', type: 'x', typeVersion: 1, position: [0, 0], parameters: {} }),
			getNodeParameter: (name: string, fallback: unknown) => {
				const value = parameters[name] ?? fallback;
				return value instanceof Error ? raise(value) : value;
			},
			getCurrentNodeParameter: (name: string) => parameters[name],
			helpers: {},
		} as unknown as ILoadOptionsFunctions;
	}
	function raise(error: Error): never {
		throw error;
	}
	const { searchConversations, searchVariables } = new DifyConversation().methods.listSearch;

	test('conversations page by page, by name and by ID', async () => {
		const sim = await startSim();
		const ids = Array.from(
			{ length: 150 },
			(_, at) => sim.store.addConversation(sim.app('chat'), 'anna', { name: `Talk ${at}`, updatedAt: at }).id,
		);
		const context = editor(sim, { user: 'anna' });
		const first: INodeListSearchResult = await searchConversations.call(context);
		// Behind the last but one, since Dify compares whole seconds; the last one is not shown again.
		expect([first.results.length, first.results[0]!.name, first.paginationToken]).toEqual([
			100,
			'Talk 149',
			`${ids[51]} ${ids[50]}`,
		]);
		const second = await searchConversations.call(context, undefined, first.paginationToken as string);
		expect([second.results.length, second.paginationToken]).toEqual([50, undefined]);
		expect((await searchConversations.call(context, 'TALK 14')).results.map(({ name }) => name)).toEqual([
			'Talk 149',
			'Talk 148',
			'Talk 147',
			'Talk 146',
			'Talk 145',
			'Talk 144',
			'Talk 143',
			'Talk 142',
			'Talk 141',
			'Talk 140',
			'Talk 14',
		]);
		expect((await searchConversations.call(context, ids[149]!.slice(0, 36))).results).toHaveLength(1);
	});

	test('a search goes through all pages: a list with few results cannot be scrolled', async () => {
		const sim = await startSim();
		for (let at = 0; at < 350; at++)
			sim.store.addConversation(sim.app('chat'), 'anna', { name: `Talk ${at}`, updatedAt: at });
		const context = editor(sim, { user: 'anna' });
		const search = async (filter: string): Promise<INodeListSearchResult> =>
			await searchConversations.call(context, filter);
		expect((await search('talk 77')).results.map(({ name }) => name)).toEqual(['Talk 77']);
		expect((await search('talk 34')).results).toHaveLength(11);
		expect(await search('nothing like it')).toEqual({ results: [] });
		expect(calls(sim, '/conversations', 'GET')).toBe(12);
		// A list that can be scrolled goes on where it ended.
		const first = await search('talk');
		expect([first.results.length, calls(sim, '/conversations', 'GET')]).toEqual([100, 13]);
		expect((await searchConversations.call(context, 'talk', first.paginationToken as string)).results[0]!.name).toBe(
			'Talk 249',
		);
	});

	test('a user that is an expression about an item is asked for', async () => {
		const sim = await startSim();
		for (const user of ['', undefined, new Error('no item')])
			await expect(searchConversations.call(editor(sim, { user }))).rejects.toThrow('The list needs a user');
		expect(sim.requests).toHaveLength(0);
	});

	test('variables of the conversation', async () => {
		const sim = await startApp('2026', {
			mode: 'advanced-chat',
			variables: [
				{ name: 'lang', valueType: 'string', value: 'en' },
				{ name: 'count', valueType: 'number', value: 1 },
			],
		});
		const id = sim.store.addConversation(sim.app('advanced-chat'), 'anna').id;
		const search = async (conversationId: unknown, filter?: string) =>
			await searchVariables.call(editor(sim, { user: 'anna', conversationId }, 'advanced-chat'), filter);
		expect((await search(byId(id))).results.map(({ name }) => name)).toEqual(['lang (string)', 'count (number)']);
		expect((await search(byId(id), 'cou')).results).toHaveLength(1);
		for (const none of [byId(''), undefined, new Error('no item')])
			await expect(search(none)).rejects.toThrow('The list needs a conversation. Choose it in Conversation');
		await expect(search(byId('x'))).rejects.toThrow('conversation ID is not valid');
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
		const sim = await startApp('2026', { mode: 'chat', form });
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const { fields } = await getForm.call(editor(sim, {}));
		expect(fields.map(({ id, type, required, displayName }) => [id, type, required, displayName])).toEqual([
			['city', 'string', true, 'City'],
			['unit', 'options', false, 'unit'],
			['terse', 'boolean', false, 'terse'],
			['extra', 'object', false, 'extra'],
			['papers', 'string', false, 'Papers (binary properties or URLs, separated by commas)'],
		]);
		expect(fields[0]).toMatchObject({ defaultValue: 'Rome', display: true });
		expect(fields[1]!.options).toEqual([
			{ name: 'C', value: 'C' },
			{ name: 'F', value: 'F' },
		]);
	});

	test('a form that cannot be had says why, and keeps the fields that were there', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const unpublished = await startApp('2026', { mode: 'advanced-chat', published: false });
		const found = await getForm.call(editor(unpublished, {}, 'advanced-chat'));
		expect(found.fields).toEqual([]);
		expect(found.emptyFieldsNotice).toContain('App unavailable');
		expect(found.emptyFieldsNotice).toContain('publish it');
		expect(calls(unpublished, '/parameters', 'GET')).toBe(1);

		const schema = [
			{ id: 'city', displayName: 'City', required: true, display: true, defaultMatch: false, removed: false },
		];
		expect((await getForm.call(editor(unpublished, { 'inputs.schema': schema }, 'advanced-chat'))).fields).toEqual(
			schema,
		);
		for (const odd of [null, {}, 'x'])
			expect((await getForm.call(editor(unpublished, { 'inputs.schema': odd }, 'advanced-chat'))).fields).toEqual([]);

		const formless = await startApp('2026', { mode: 'chat' });
		expect(await getForm.call(editor(formless, {}))).toEqual({
			fields: [],
			emptyFieldsNotice: 'This app has no form, so there is nothing to fill in.',
		});
	});

	test('what a server says is text, not HTML', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = editor({ url: 'http://<img src=x>&/v1' }, {});
		expect((await getForm.call(context)).emptyFieldsNotice).not.toContain('<img');
	});
});
