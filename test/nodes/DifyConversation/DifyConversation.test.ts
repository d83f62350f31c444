import { createClient, sendMessage, startSim, UNKNOWN_ID, startApp } from '../../lib/dify/client';
import { startScripted } from '../../guarantees/support/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { byId, executeConversation, createEditorContext } from '../dify';
import type { AppSpec } from '../../simulators/dify';
import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';

const startServer = useSimulator(startScripted);

describe('a message list', () => {
	const readEndlessList = async (isNew: boolean) => {
		let count = 0;
		const sim = await startServer((_request, response) => {
			response.setHeader('content-type', 'application/json');
			const record = { id: isNew ? `m${++count}` : 'same', query: 'hi' };
			response.end(JSON.stringify({ data: [record], has_more: true }));
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
		expect(
			await executeConversation(sim, 'conversation', 'delete', { conversationId: byId(ownId) }),
		).toEqual([{ json: { conversationId: ownId, deleted: true }, pairedItem: { item: 0 } }]);
		await expect(
			executeConversation(sim, 'conversation', 'delete', { conversationId: byId(otherId) }),
		).rejects.toThrow('Dify cannot find the conversation');
		await expect(
			executeConversation(sim, 'conversation', 'delete', { conversationId: byId('') }),
		).rejects.toThrow('conversation ID is empty');
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

	test('get the name of the node, or one that Dify generates', async () => {
		const sim = await startSim({});
		const id = (await sendMessage(createClient(sim), { query: 'How tall?' })).result
			.conversationId!;
		const rename = async (parameters: Record<string, unknown>) =>
			(
				await executeConversation(sim, 'conversation', 'rename', {
					conversationId: byId(id),
					...parameters,
				})
			)[0]!.json.name;
		expect(await rename({ name: 'Tower' })).toBe('Tower');
		expect(await rename({ autoGenerate: true, name: '' })).toBe('About How tall?');
		await expect(rename({ name: ' ' })).rejects.toThrow('name is required');
	});

	test('messages, oldest first; the limit returns the newest', async () => {
		const sim = await startSim({});
		const first = (await sendMessage(createClient(sim), { query: 'one' })).result;
		await sendMessage(createClient(sim), {
			query: 'two',
			conversation: { type: 'id', id: first.conversationId! },
		});
		const messages = await executeConversation(sim, 'message', 'getAll', {
			conversationId: byId(first.conversationId),
			returnAll: true,
		});
		expect(messages.map(({ json }) => [json.query, json.answer])).toEqual([
			['one', 'You said: one'],
			['two', 'You said: two'],
		]);
		expect(
			(
				await executeConversation(sim, 'message', 'getAll', {
					conversationId: byId(first.conversationId),
					limit: 1,
				})
			).map(({ json }) => json.query),
		).toEqual(['two']);
		await expect(
			executeConversation(sim, 'message', 'getAll', { conversationId: byId(UNKNOWN_ID) }),
		).rejects.toThrow('Dify cannot find the conversation');
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

	test('variables are listed, limited and complete', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const conversationId = byId(
			(await sendMessage(createClient(sim, 'advanced-chat'))).result.conversationId,
		);
		const list = async (parameters: object) =>
			(
				await executeConversation(
					sim,
					'variable',
					'getAll',
					{ conversationId, ...parameters },
					'advanced-chat',
				)
			).map(({ json }) => [json.name, json.value_type, json.value]);
		const allVariables = [
			['lang', 'string', 'en'],
			['tags', 'array[string]', []],
		];
		expect(await list({ returnAll: true })).toEqual(allVariables);
		expect(await list({ limit: 5 })).toEqual(allVariables);
		expect(await list({ limit: 1 })).toEqual(allVariables.slice(0, 1));
	});

	test('variables are read while pages are full, since their has_more is always false', async () => {
		const variables: AppSpec['variables'] = Array.from({ length: 150 }, (_, at) => ({
			name: `v${at}`,
			valueType: 'number',
			value: at,
		}));
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const { conversationId } = (await sendMessage(createClient(sim, 'advanced-chat'))).result;
		const items = await executeConversation(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(conversationId), returnAll: true },
			'advanced-chat',
		);
		expect(items).toHaveLength(150);
	});

	test('a variable is updated by ID and by name', async () => {
		const variables: AppSpec['variables'] = [
			{ name: 'lang', valueType: 'string', value: 'en' },
			{ name: 'tags', valueType: 'array[string]', value: [] },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const id = (await sendMessage(createClient(sim, 'advanced-chat'))).result.conversationId!;
		const update = async (variableId: unknown, value: unknown) =>
			await executeConversation(
				sim,
				'variable',
				'update',
				{ conversationId: byId(id), variableId, value },
				'advanced-chat',
			);
		await update({ __rl: true, mode: 'name', value: 'lang' }, 'de');
		const items = await executeConversation(
			sim,
			'variable',
			'getAll',
			{ conversationId: byId(id), returnAll: true },
			'advanced-chat',
		);
		await update(byId(items[1]!.json.id), '["a","b"]');
		expect(
			(
				await executeConversation(
					sim,
					'variable',
					'getAll',
					{ conversationId: byId(id), limit: 5 },
					'advanced-chat',
				)
			).map(({ json }) => json.value),
		).toEqual(['de', ['a', 'b']]);
		await expect(update({ __rl: true, mode: 'name', value: '' }, 'x')).rejects.toThrow(
			'The field "Variable" is empty',
		);
	});
});

describe('lists in the editor', () => {
	const { searchVariables } = new DifyConversation().methods.listSearch;

	test('variables of the conversation', async () => {
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
});
