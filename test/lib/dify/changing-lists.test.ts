/** Lists that change while they are read page by page: other people and workflows use the same Dify. */
import { listConversations, listMessages } from '../../../lib/dify/conversations';
import type { DifyClient } from '../../../lib/dify/client';
import { listFeedback, rateMessage } from '../../../lib/dify/feedback';
import type { Fields } from '../../../lib/dify/read';
import { listVariables } from '../../../lib/dify/variables';
import { SIM_VERSIONS, type DifySim } from '../../servers/dify';
import { UNKNOWN_ID, calls, clientOf, closeSims, failureOf, startSim } from './client';

afterEach(closeSims);

async function withConversations(version: DifySim['version'], count: number): Promise<{ sim: DifySim; ids: string[] }> {
	const sim = await startSim({ version });
	const ids = Array.from(
		{ length: count },
		(_, at) => sim.store.addConversation(sim.app('chat'), 'u1', { name: `c${at}`, createdAt: at, updatedAt: at }).id,
	);
	return { sim, ids };
}

/** A client after whose first answers something happens in Dify: `then[0]` after the first, and so on. */
function betweenPages(sim: DifySim, ...then: Array<() => void>): DifyClient {
	const client = clientOf(sim);
	const get = client.get.bind(client);
	client.get = async (...asked) => {
		const answer = await get(...asked);
		then.shift()?.();
		return answer;
	};
	return client;
}

const namesOf = (records: Fields[]) => records.map(({ name }) => name);
const numbered = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => `c${from - at}`);

describe.each(SIM_VERSIONS)('conversations, %s', (version) => {
	test('the one behind which the next page would begin is deleted', async () => {
		const { sim, ids } = await withConversations(version, 250);
		const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[150]!));
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(numbered(249, 0));
	});

	test('all that were read are deleted', async () => {
		const { sim, ids } = await withConversations(version, 250);
		const client = betweenPages(sim, () => ids.slice(150).forEach((id) => sim.app('chat').conversations.delete(id)));
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(numbered(249, 0));
		// Back in steps that grow, not one by one.
		expect(calls(sim, '/conversations', 'GET')).toBeLessThan(15);
	});

	test('one that was read is written in, and comes to the top: each is listed once', async () => {
		const { sim, ids } = await withConversations(version, 250);
		const client = betweenPages(sim, () => {
			sim.app('chat').conversations.get(ids[150]!)!.updatedAt = 9999;
		});
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(numbered(249, 0));
	});

	test('those with a limit, too', async () => {
		const { sim, ids } = await withConversations(version, 250);
		const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[150]!));
		expect(namesOf(await listConversations(client, 'u1', 120, '-updated_at'))).toEqual(numbered(249, 130));
	});
});

test('feedback that comes in meanwhile makes no other appear twice', async () => {
	const { sim, ids } = await withConversations('2026', 1);
	const { feedbacks } = sim.app('chat');
	const add = () =>
		void feedbacks.push({
			id: `f${feedbacks.length}`,
			conversationId: ids[0]!,
			messageId: UNKNOWN_ID,
			rating: 'like',
			content: null,
			source: 'user',
			userId: null,
			createdAt: 0,
			updatedAt: 0,
		});
	for (let at = 0; at < 250; at++) add();
	const listed = await listFeedback(betweenPages(sim, add, add), 'all');
	expect(listed.map(({ id }) => id)).toEqual(Array.from({ length: 250 }, (_, at) => `f${249 - at}`));
	const before = calls(sim, '/app/feedbacks', 'GET');
	expect(await listFeedback(betweenPages(sim, add), 150)).toHaveLength(150);
	expect(calls(sim, '/app/feedbacks', 'GET')).toBe(before + 2);
});

describe('a proxy that answers every page with the first one', () => {
	const page = {
		has_more: true,
		data: Array.from({ length: 100 }, (_, at) => ({ id: `${at}`, name: 'n', value_type: 'string', value: 'x' })),
	};
	const stuck = (sim: DifySim): DifyClient =>
		Object.assign(clientOf(sim), { get: async () => await Promise.resolve(page) });

	test('is not asked for ever', async () => {
		const sim = await startSim();
		expect(await listConversations(stuck(sim), 'u1', 'all', '-updated_at')).toHaveLength(100);
		expect(await listMessages(stuck(sim), 'u1', UNKNOWN_ID, 'all')).toHaveLength(100);
		expect(await listVariables(stuck(sim), 'u1', UNKNOWN_ID, 'all')).toHaveLength(100);
		const feedback = Object.assign(clientOf(sim), {
			get: async () => await Promise.resolve({ data: [...page.data, { id: 'last' }] }),
		});
		expect(await listFeedback(feedback, 'all')).toHaveLength(101);
		expect(
			await failureOf(
				rateMessage(feedback, { messageId: UNKNOWN_ID, user: 'u1', rating: 'like', earlierContent: 'keep' }),
			),
		).toMatchObject({ difyKind: 'messageNotFound' });
	});
});

test('the variables of a conversation that is deleted meanwhile are an error, asked for once', async () => {
	const { sim, ids } = await withConversations('2026', 1);
	sim.app('chat').conversations.get(ids[0]!)!.variables = Array.from({ length: 150 }, (_, at) => ({
		id: `${UNKNOWN_ID.slice(0, -3)}${100 + at}`,
		name: `v${at}`,
		valueType: 'string',
		value: 'x',
		description: '',
		createdAt: 0,
		updatedAt: 0,
	}));
	const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[0]!));
	expect(await failureOf(listVariables(client, 'u1', ids[0]!, 'all'))).toMatchObject({
		difyKind: 'conversationNotFound',
	});
	expect(calls(sim, /variables$/, 'GET')).toBe(2);
});
