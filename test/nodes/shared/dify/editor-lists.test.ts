import type { INodeListSearchResult } from 'n8n-workflow';
import { countRequests, startApp, startSim } from '../../../lib/dify/client';
import type { FormField } from '../../../simulators/dify';
import { createEditorContext } from '../../dify';
import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';

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
			['city', 'string', false, 'City (required)'],
			['unit', 'options', false, 'unit'],
			['terse', 'boolean', false, 'terse'],
			['extra', 'object', false, 'extra'],
			['papers', 'string', false, 'Papers (files)'],
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
		expect((await loadForm({ inputs: { schema } })).fields).toEqual(schema);
		for (const odd of [null, {}, 'x'])
			expect((await loadForm({ inputs: { schema: odd } })).fields).toEqual([]);

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
			emptyFieldsNotice: expect.stringMatching(/^Once a credential is selected/) as string,
		});
	});

	test('server messages are escaped as text', async () => {
		const { getForm } = new DifyChatMessage().methods.resourceMapping;
		const context = createEditorContext({ url: 'http://<img src=x>&/v1' }, {});
		expect((await getForm.call(context)).emptyFieldsNotice).not.toContain('<img');
	});
});
