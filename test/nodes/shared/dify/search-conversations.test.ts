import type { INodeListSearchResult } from 'n8n-workflow';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { countRequests, startSim } from '../../../lib/dify/client';
import { createEditorContext } from '../../dify';

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
		expect(
			(await searchConversations.call(context, 'TALK 14')).results.map(({ name }) => name),
		).toEqual([
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
		expect((await search('talk 34')).results).toHaveLength(11);
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
});
