/** What the editor shows in each list of the Dify nodes, for any records, search text, page and error. */
import type { ILoadOptionsFunctions } from 'n8n-workflow';

import {
	getForm,
	searchConversations,
	searchDocuments,
	searchEmbeddingModels,
	searchKnowledgeBases,
} from '../../../../nodes/shared/dify/editor-lists';
import type { ListSearch } from '../../../../nodes/shared/dify/editor-lists';
import { expectApproved } from '../../../support/approved/approved-table';
import { editorContext } from '../../../support/n8n/editor-context';
import { json, useServers } from '../../../support/servers/scripted-server';
import type { Answer, Routes } from '../../../support/servers/scripted-server';
import path from 'node:path';
import { describeNodeError } from '../../../support/approved/outcome';

const start = useServers();
const DATASET = '11111111-2222-4333-8444-555555555555';
const id = (at: number): string => `${String(at).padStart(8, '0')}-2222-4333-8444-555555555555`;
const named = (count: number, more: (at: number) => object = () => ({})) =>
	Array.from({ length: count }, (_none, at) => ({ id: id(at), name: `Name ${at}`, ...more(at) }));

interface Shown {
	search: ListSearch;
	routes: Routes;
	parameters?: Record<string, unknown>;
	filter?: string;
	token?: string;
	keyType?: string;
}

/** Pages of a hundred records, by number or after a record. */
const paged =
	(records: object[], hasTotal: boolean): Answer =>
	(request, response) => {
		const { searchParams } = new URL(request.path, 'http://x');
		const limit = Number(searchParams.get('limit'));
		const after = searchParams.get('last_id');
		const first =
			after === null
				? (Number(searchParams.get('page') ?? 1) - 1) * limit
				: records.findIndex((one) => (one as { id: string }).id === after) + 1;
		const data = records.slice(first, first + limit);
		json({
			data,
			limit,
			has_more: first + limit < records.length,
			...(hasTotal && { total: records.length }),
		})(request, response);
	};

const EMBEDDERS = {
	data: [
		{
			provider: 'a/b/p',
			label: { en_US: 'P' },
			models: [
				{ model: 'm1', label: { en_US: 'Model' }, status: 'active' },
				{ model: 'm2', status: 'no-configure' },
			],
		},
	],
};
const TECHNIQUES = ['high_quality', 'economy', null];
const STATES = ['available', 'disabled', 'error'];

const LISTS: Readonly<Record<string, Shown>> = {
	'knowledge bases': {
		search: searchKnowledgeBases,
		routes: {
			'GET /v1/datasets': paged(
				named(3, (at) => ({ indexing_technique: TECHNIQUES[at] })),
				true,
			),
		},
	},
	'knowledge bases, searched': {
		search: searchKnowledgeBases,
		filter: ' Na ',
		routes: { 'GET /v1/datasets': paged(named(1), true) },
	},
	'knowledge bases, the first of two pages': {
		search: searchKnowledgeBases,
		routes: { 'GET /v1/datasets': paged(named(101), true) },
	},
	'knowledge bases, the second page': {
		search: searchKnowledgeBases,
		token: '2',
		routes: { 'GET /v1/datasets': paged(named(101), true) },
	},
	'knowledge bases with an app key': { search: searchKnowledgeBases, keyType: 'app', routes: {} },
	'knowledge bases without names': {
		search: searchKnowledgeBases,
		routes: {
			'GET /v1/datasets': paged(
				[
					{ id: id(1), name: '' },
					{ id: id(2), name: '<b>x</b> ={{ 1 }}' },
				],
				true,
			),
		},
	},
	documents: {
		search: searchDocuments,
		parameters: { difyDatasetId: { __rl: true, mode: 'id', value: DATASET } },
		routes: {
			[`GET /v1/datasets/${DATASET}/documents`]: paged(
				named(3, (at) => ({ display_status: STATES[at] })),
				true,
			),
		},
	},
	'documents, searched': {
		search: searchDocuments,
		filter: 'N',
		parameters: { difyDatasetId: DATASET },
		routes: { [`GET /v1/datasets/${DATASET}/documents`]: paged(named(1), true) },
	},
	'documents without a knowledge base': { search: searchDocuments, routes: {} },
	'documents of an expression': {
		search: searchDocuments,
		parameters: { difyDatasetId: new Error('no item') },
		routes: {},
	},
	'documents of a wrong ID': {
		search: searchDocuments,
		parameters: { difyDatasetId: 'x' },
		routes: {},
	},
	conversations: {
		search: searchConversations,
		keyType: 'app',
		parameters: { user: 'u' },
		routes: { 'GET /v1/conversations': paged(named(2), false) },
	},
	'conversations, searched by name': {
		search: searchConversations,
		keyType: 'app',
		filter: 'NAME 1',
		parameters: { user: 'u' },
		routes: { 'GET /v1/conversations': paged(named(3), false) },
	},
	'conversations, searched by ID': {
		search: searchConversations,
		keyType: 'app',
		filter: '00000002',
		parameters: { user: 'u' },
		routes: { 'GET /v1/conversations': paged(named(3), false) },
	},
	'conversations on the third page': {
		search: searchConversations,
		keyType: 'app',
		filter: 'name 250',
		parameters: { user: 'u' },
		routes: { 'GET /v1/conversations': paged(named(260), false) },
	},
	'conversations of many pages': {
		search: searchConversations,
		keyType: 'app',
		filter: 'nothing',
		parameters: { user: 'u' },
		routes: { 'GET /v1/conversations': paged(named(2_150), false) },
	},
	'conversations without a user': { search: searchConversations, keyType: 'app', routes: {} },
	'conversations of an expression': {
		search: searchConversations,
		keyType: 'app',
		parameters: { user: new Error('no item') },
		routes: {},
	},
	models: {
		search: searchEmbeddingModels,
		routes: { 'GET /v1/workspaces/current/models/model-types/text-embedding': json(EMBEDDERS) },
	},
	'models, searched': {
		search: searchEmbeddingModels,
		filter: 'm2',
		routes: { 'GET /v1/workspaces/current/models/model-types/text-embedding': json(EMBEDDERS) },
	},
	'a wrong key': {
		search: searchEmbeddingModels,
		routes: {
			'GET /v1/workspaces/current/models/model-types/text-embedding': json(
				{ code: 'unauthorized', message: 'Access token is invalid', status: 401 },
				401,
			),
		},
	},
	'no list': { search: searchKnowledgeBases, routes: { 'GET /v1/datasets': json({ ok: true }) } },
};

test('each list', async () => {
	const rows = [];
	for (const [
		input,
		{ search, routes, parameters, filter, token, keyType = 'knowledge' },
	] of Object.entries(LISTS)) {
		const server = await start(routes);
		const apiKey = keyType === 'app' ? 'app-key' : 'dataset-key';
		const context = editorContext({ baseUrl: `${server.url}/v1`, apiKey, keyType }, parameters);
		const outcome = await search
			.call(context, filter, token)
			.then(({ results, paginationToken }) => {
				const names = results.map(({ name, value }) => `${name}=${value}`);
				return `${names.length}: ${names.slice(0, 3).join(', ')}; next ${String(paginationToken)}`;
			}, describeNodeError);
		const requests = server.requests.map(({ path: of }) => of);
		const text = [outcome, `${requests.length} requests`, ...requests.slice(0, 2)].join('; ');
		rows.push({ input, outcome: text.replaceAll(server.url, 'SERVER') });
	}
	expectApproved(
		path.join(__dirname, 'editor-lists.any-list.approved.txt'),
		rows,
		'A list of the editor shows what matches, page by page',
	);
});

const FORM = [
	...[
		'text-input',
		'paragraph',
		'number',
		'checkbox',
		'json_object',
		'file',
		'file-list',
		'new',
	].map((type, at) => ({
		[type]: {
			variable: `v${at}`,
			label: `Label ${at}`,
			required: at % 2 === 0,
			default: [7, '', true, '={{ 1 }}'][at % 4],
		},
	})),
	{ select: { variable: 'choice', label: '', options: ['a', '={{ b }}'], default: 'a' } },
	{ 'text-input': { variable: '={{ x }}', label: 'x' } },
	{ external_data_tool: { variable: 'tool', label: 'Tool' } },
];

test('the form of an app', async () => {
	const forms: Readonly<Record<string, Routes>> = {
		'all fields': { 'GET /v1/parameters': json({ user_input_form: FORM }) },
		'no fields': { 'GET /v1/parameters': json({}) },
		'an error': {
			'GET /v1/parameters': json(
				{ code: 'app_unavailable', message: 'App <b>unavailable</b>', status: 400 },
				400,
			),
		},
	};
	const rows = [];
	const notices = new Map<string, string>();
	for (const [input, routes] of Object.entries(forms)) {
		const server = await start(routes);
		const schema = [{ id: 'kept', displayName: 'Kept' }];
		const context = editorContext(
			{ baseUrl: `${server.url}/v1`, apiKey: 'app-key' },
			{ inputs: { schema } },
		);
		const { fields, emptyFieldsNotice } = await getForm.call(context);
		notices.set(input, (emptyFieldsNotice ?? '').replaceAll(server.url, 'SERVER'));
		for (const field of fields) rows.push({ input: `${input}: ${field.id}`, outcome: field });
	}
	const context = editorContext({});
	const added = { ...context, getNode: () => ({ ...context.getNode(), credentials: undefined }) };
	rows.push({
		input: 'a node without a credential',
		outcome: await getForm.call(added as unknown as ILoadOptionsFunctions),
	});
	expectApproved(
		path.join(__dirname, 'editor-lists.any-list.form.approved.txt'),
		rows,
		'A form of the editor has the fields of the app',
	);
	expect([...notices]).toEqual([
		['all fields', 'This app has no form to fill in.'],
		['no fields', 'This app has no form to fill in.'],
		[
			'an error',
			expect.stringMatching(
				/^The form of the app could not be loaded\. App &lt;\u200bb&gt;unavailable.* URL: SERVER\/v1\/parameters$/,
			),
		],
	]);
});
