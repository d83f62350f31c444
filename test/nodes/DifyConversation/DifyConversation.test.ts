import { createClient, sendMessage, startSim, UNKNOWN_ID, startApp } from '../../lib/dify/client';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import {
	byId,
	executeConversation,
	createEditorContext,
	executePrepared,
	prepareNode,
} from '../dify';
import type { AppSpec } from '../../simulators/dify';
import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';

const startServer = useSimulator(startScripted);

describe('a message list', () => {
	const readEndlessList = async (isNew: boolean) => {
		let count = 0;
		const sim = await startServer((_request, response) => {
			const record = { id: isNew ? `m${++count}` : 'same', query: 'hi' };
			sendJson(response, { data: [record], has_more: true });
		});
		const parameters = { conversationId: byId(UNKNOWN_ID), returnAll: true };
		const reading = executeConversation(sim as never, 'message', 'getAll', parameters, 'chat');
		return { reading, requests: sim.requests };
	};

	test('without an end is an error with its path', async () => {
		const { reading, requests } = await readEndlessList(true);
		await expect(reading).rejects.toThrow('/messages has more than 1000 pages');
		expect(requests).toHaveLength(1_000);
	});

	test('with records of any size is an error before they fill the memory', async () => {
		let count = 0;
		const sim = await startServer((_request, response) => {
			const record = { id: `m${++count}`, query: 'x'.repeat(20_000_000) };
			sendJson(response, { data: [record], has_more: true });
		});
		const parameters = { conversationId: byId(UNKNOWN_ID), returnAll: true };
		const reading = executeConversation(sim as never, 'message', 'getAll', parameters, 'chat');
		await expect(reading).rejects.toThrow('/messages takes more than 128 MB of memory');
		expect(count).toBeLessThan(20);
	});

	test('that repeats its page ends there', async () => {
		const { reading, requests } = await readEndlessList(false);
		expect(await reading).toHaveLength(1);
		expect(requests).toHaveLength(2);
	});
});

describe('conversations', () => {
	test('are deleted by their user only', async () => {
		const sim = await startSim({});
		const ownId = (await sendMessage(createClient(sim))).result.conversationId!;
		const otherId = (await sendMessage(createClient(sim), { user: 'u2' })).result.conversationId!;
		const remove = async (id: string) =>
			await executeConversation(sim, 'conversation', 'delete', { conversationId: byId(id) });
		expect(await remove(ownId)).toEqual([
			{ json: { conversationId: ownId, deleted: true }, pairedItem: { item: 0 } },
		]);
		await expect(remove(otherId)).rejects.toThrow('Conversation Not Exists');
		await expect(remove('')).rejects.toThrow('conversation ID is empty');
		expect([...sim.app('chat').conversations.keys()]).toEqual([otherId]);
	});

	test('are listed for one user, up to a limit or completely, in the selected order', async () => {
		const sim = await startSim({});
		for (let at = 0; at < 130; at++)
			sim.store.addConversation(sim.app('chat'), 'u1', {
				name: `c${at}`,
				createdAt: 1000 - at,
				updatedAt: at,
			});
		sim.store.addConversation(sim.app('chat'), 'u2');
		const names = async (parameters: Record<string, unknown>) =>
			(await executeConversation(sim, 'conversation', 'getAll', parameters)).map(
				({ json }) => json.name,
			);
		expect(await names({ returnAll: true })).toEqual(
			Array.from({ length: 130 }, (_, at) => `c${129 - at}`),
		);
		expect(await names({ limit: 2 })).toEqual(['c129', 'c128']);
		expect(await names({ limit: 2, options: { sortBy: 'updated_at' } })).toEqual(['c0', 'c1']);
		expect(await names({ limit: 2, options: { sortBy: '-created_at' } })).toEqual(['c0', 'c1']);
		await expect(names({ options: { sortBy: 'name' } })).rejects.toThrow(
			'must be one of -created_at, created_at, -updated_at, updated_at, but is "name"',
		);
		await expect(names({ user: null })).rejects.toThrow('The user is empty');
	});

	test.each([
		['u2', { user: 'u2' }],
		['n8n-w1', { user: '' }],
	])('an empty list says that it is that of the user %s', async (user, parameters) => {
		const sim = await startSim({});
		sim.store.addConversation(sim.app('chat'), 'u1');
		const list = async (fields: Record<string, unknown>) => {
			const fake = prepareNode('difyConversation', sim, {
				parameters: { resource: 'conversation', operation: 'getAll', returnAll: true, ...fields },
			});
			const items = await executePrepared('difyConversation', fake);
			return { count: items.length, hints: fake.hints.map(({ message }) => message) };
		};
		expect(await list(parameters)).toEqual({
			count: 0,
			hints: [expect.stringContaining(`no conversations of the user "${user}"`)],
		});
		expect(await list({ user: 'u1' })).toEqual({ count: 1, hints: [] });
	});

	test('get the name of the node, or one that Dify generates', async () => {
		const sim = await startSim({});
		const { result } = await sendMessage(createClient(sim), { query: 'How tall?' });
		const conversationId = byId(result.conversationId);
		const rename = async (fields: Record<string, unknown>) => {
			const parameters = { conversationId, ...fields };
			const [item] = await executeConversation(sim, 'conversation', 'rename', parameters);
			return item!.json.name;
		};
		expect(await rename({ name: 'Tower' })).toBe('Tower');
		expect(await rename({ autoGenerate: true, name: '' })).toBe('About How tall?');
		await expect(rename({ name: ' ' })).rejects.toThrow('The field "Name" is empty');
	});

	test('messages, oldest first; the limit returns the newest', async () => {
		const sim = await startSim({});
		const first = (await sendMessage(createClient(sim), { query: 'one' })).result;
		await sendMessage(createClient(sim), {
			query: 'two',
			conversation: { type: 'id', id: first.conversationId! },
		});
		const list = async (id: unknown, fields: Record<string, unknown> = {}) => {
			const parameters = { conversationId: byId(id), ...fields };
			const items = await executeConversation(sim, 'message', 'getAll', parameters);
			return items.map(({ json }) => [json.query, json.answer]);
		};
		const all = [
			['one', 'You said: one'],
			['two', 'You said: two'],
		];
		expect(await list(first.conversationId, { returnAll: true })).toEqual(all);
		expect(await list(first.conversationId, { limit: 1 })).toEqual(all.slice(1));
		await expect(list(UNKNOWN_ID)).rejects.toThrow('Conversation Not Exists');
	});

	test('suggested questions are returned with their message ID', async () => {
		const sim = await startApp({ mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const { messageId } = (await sendMessage(createClient(sim), { query: 'one' })).result;
		expect(await executeConversation(sim, 'message', 'getSuggested', { messageId })).toEqual([
			{ json: { messageId, questions: ['Why?', 'How?'] }, pairedItem: { item: 0 } },
		]);
		await expect(
			executeConversation(sim, 'message', 'getSuggested', { messageId: 'abc' }),
		).rejects.toThrow('message ID is not valid');
	});

	describe('variables', () => {
		const start = async (variables: AppSpec['variables']) => {
			const sim = await startApp({ mode: 'advanced-chat', variables });
			const { result } = await sendMessage(createClient(sim, 'advanced-chat'));
			const conversationId = byId(result.conversationId);
			const run = async (operation: string, parameters: Record<string, unknown>) => {
				const fields = { conversationId, ...parameters };
				return await executeConversation(sim, 'variable', operation, fields, 'advanced-chat');
			};
			const list = async (parameters: Record<string, unknown>) =>
				(await run('getAll', parameters)).map(({ json }) => json);
			const update = async (variableId: unknown, value: unknown) =>
				await run('update', { variableId, value });
			return { list, update };
		};
		const VARIABLES: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];

		test('are listed, limited and complete', async () => {
			const { list } = await start(VARIABLES);
			const all = [
				{ name: 'lang', value_type: 'string', value: 'en' },
				{ name: 'tags', value_type: 'array[string]', value: [] },
			];
			expect(await list({ returnAll: true })).toMatchObject(all);
			expect(await list({ limit: 5 })).toMatchObject(all);
			expect(await list({ limit: 1 })).toMatchObject(all.slice(0, 1));
		});

		test('a name that does not exist is quoted by its beginning, beside those that do', async () => {
			const { update } = await start(VARIABLES);
			await expect(update('x'.repeat(5_000), 'de')).rejects.toMatchObject({
				message: expect.stringMatching(/^The conversation has no variable "x{50,100}…$/) as string,
				description: expect.stringContaining('Available variables: lang, tags.') as string,
			});
		});

		test.each([undefined, null])(
			'are not set to %s, which an expression returned',
			async (value) => {
				const { list, update } = await start(VARIABLES);
				await expect(update('lang', value)).rejects.toMatchObject({
					message: expect.stringContaining('The field "Value" is empty') as string,
				});
				expect(await list({ limit: 1 })).toMatchObject([{ name: 'lang', value: 'en' }]);
			},
		);

		test('are emptied by an empty text', async () => {
			const { list, update } = await start(VARIABLES);
			await update('lang', '');
			expect(await list({ limit: 1 })).toMatchObject([{ name: 'lang', value: '' }]);
		});

		test('of an app without variables do not exist: only chatflows have them', async () => {
			const { update } = await start([]);
			await expect(update('lang', 'de')).rejects.toMatchObject({
				message: 'The conversation has no variable "lang"',
				description: expect.stringContaining(
					'It has no variables: only chatflows have variables.',
				) as string,
			});
		});

		test('are read while pages are full, since their has_more is always false', async () => {
			const { list } = await start(
				Array.from({ length: 150 }, (_, at) => ({
					name: `v${at}`,
					valueType: 'number',
					value: at,
				})),
			);
			expect(await list({ returnAll: true })).toHaveLength(150);
		});

		test('are updated by ID and by name', async () => {
			const { list, update } = await start(VARIABLES);
			const byName = (value: string) => ({ __rl: true, mode: 'name', value });
			await update(byName('lang'), 'de');
			const [, tags] = await list({ returnAll: true });
			await update(byId(tags!.id), '["a","b"]');
			const values = (await list({ limit: 5 })).map(({ value }) => value);
			expect(values).toEqual(['de', ['a', 'b']]);
			await expect(update(byName(''), 'x')).rejects.toThrow('The field "Variable" is empty');
		});
	});
});

const { searchVariables } = new DifyConversation().methods.listSearch;

test('lists in the editor: variables of the conversation', async () => {
	const sim = await startApp({
		mode: 'advanced-chat',
		variables: [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'count', valueType: 'number', value: 1 },
		],
	});
	const id = sim.store.addConversation(sim.app('advanced-chat'), 'anna').id;
	const search = async (conversationId: unknown, filter?: string) =>
		await searchVariables.call(
			createEditorContext(sim, { user: 'anna', conversationId }, 'advanced-chat'),
			filter,
		);
	expect((await search(byId(id))).results.map(({ name }) => name)).toEqual([
		'lang (string)',
		'count (number)',
	]);
	expect((await search(byId(id), 'cou')).results).toHaveLength(1);
	for (const conversationId of [byId(''), undefined, new Error('no item')])
		await expect(search(conversationId)).rejects.toThrow(
			'The list requires a conversation. Select one under Conversation',
		);
	await expect(search(byId('x'))).rejects.toThrow('conversation ID is not valid');
});
