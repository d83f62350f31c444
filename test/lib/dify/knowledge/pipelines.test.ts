import * as fc from 'fast-check';

import {
	datasourceOf,
	listDatasources,
	runDatasource,
} from '../../../../lib/dify/knowledge/datasources';
import {
	localFile,
	runPipeline,
	uploadPipelineFile,
	type PipelineRun,
} from '../../../../lib/dify/knowledge/pipelines';
import type { ServerError } from '../../../../lib/errors/server-error';
import type { SimDataset } from '../../../servers/dify';
import { httpFixture } from '../../../support/streams';
import { scene, writes, lastBody } from './setup';

const FILES = { node_id: 'files', plugin_id: 'p', datasource_type: 'local_file', title: 'File' };
const WEB = {
	node_id: 'web',
	plugin_id: 'w',
	datasource_type: 'website_crawl',
	title: 'Firecrawl',
};
const PUBLISHED = { published: true };
const DRAFT = { published: false };
const datasource = { nodeId: 'files', type: 'local_file' as const };

const made = (more: Partial<NonNullable<SimDataset['pipeline']>> = {}): Partial<SimDataset> => ({
	pipeline: { datasources: [FILES, WEB], ...more },
});

const source = (text: string, name = 'notes.txt') => {
	const content = new TextEncoder().encode(text);
	return { name, mimeType: 'text/plain', size: content.length, open: () => oneOf(content) };
};

async function* oneOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
	yield content;
}

const refusal = async (work: Promise<unknown>): Promise<ServerError> =>
	await work.then(
		() => Promise.reject(new Error('did not fail')),
		(error: unknown) => error as ServerError,
	);

const run = (more: Partial<PipelineRun> = {}): PipelineRun => ({
	datasource,
	items: [{ reference: 'x', name: 'x.txt' }],
	inputs: {},
	published: true,
	...more,
});

describe.each(['1.14', '2026'] as const)('knowledge pipelines of Dify %s', (version) => {
	test('datasources: the published ones by a word, the draft without it, since Dify takes any value for true', async () => {
		const { api, base, sim } = await scene(version, made());
		expect(await listDatasources(api, base.id, PUBLISHED)).toMatchObject([
			{ nodeId: 'files', type: 'local_file', title: 'File' },
			{ nodeId: 'web', type: 'website_crawl', title: 'Firecrawl' },
		]);
		await listDatasources(api, base.id, DRAFT);
		expect(sim.requests.map(({ query }) => query.toString())).toEqual(['is_published=true', '']);
	});

	test('the datasource: by its node, the only one, or an error that names those there are', async () => {
		const { api, base } = await scene(version, made());
		expect(await datasourceOf(api, base.id, 'web', PUBLISHED)).toMatchObject({
			type: 'website_crawl',
		});
		for (const [nodeId, text] of [
			[undefined, 'The pipeline has several datasources'],
			['gone', 'The pipeline has no datasource "gone"'],
		] as const) {
			const error = await refusal(datasourceOf(api, base.id, nodeId, PUBLISHED));
			expect(error.message).toContain(text);
			expect(error.remedy).toContain('File (files), Firecrawl (web)');
		}
		base.pipeline!.datasources = [WEB];
		expect(await datasourceOf(api, base.id, undefined, PUBLISHED)).toMatchObject({ nodeId: 'web' });
		base.pipeline!.datasources = [];
		expect((await refusal(datasourceOf(api, base.id, undefined, PUBLISHED))).remedy).toContain(
			'Publish the pipeline',
		);
	});

	test('D120: a published run is answered with JSON although a stream was asked for', async () => {
		const { api, base, sim } = await scene(version, made());
		const file = await uploadPipelineFile(api, source('Llamas live in the Andes.'));
		expect(file).toMatchObject({
			name: 'notes.txt',
			created_at: expect.stringMatching(/^\d{4}-/) as string,
		});
		const items = [localFile({ id: file.id, name: 'notes.txt' })];
		const outcome = await runPipeline(api, base.id, run({ items, inputs: { depth: 1 } }));
		const [document] = [...base.documents.values()];
		expect(outcome).toMatchObject({
			kind: 'documents',
			batch: document!.batch,
			documents: [{ id: document!.id, name: 'notes.txt' }],
		});
		expect(document!.text).toBe('Llamas live in the Andes.');
		expect(lastBody(sim, /pipeline\/run$/)).toEqual({
			inputs: { depth: 1 },
			datasource_type: 'local_file',
			datasource_info_list: [{ reference: file.id, related_id: file.id, name: 'notes.txt' }],
			start_node_id: 'files',
			is_published: true,
			response_mode: 'streaming',
		});
	});

	test('D121: a 500 with pipeline_run_error shows the cause, is not "server down", and is not sent again', async () => {
		const { api, base, sim } = await scene(
			version,
			made({ fails: "Variable 'depth' is required" }),
		);
		const error = await refusal(runPipeline(api, base.id, run()));
		expect(error).toMatchObject({
			kind: 'runFailed',
			code: 'pipeline_run_error',
			retryable: false,
		});
		expect(error.message).toBe('The pipeline failed in Dify');
		expect(error.serverText).toContain("Variable 'depth' is required");
		expect(writes(sim)).toHaveLength(1);
	});

	test('a draft is a preview: events of a workflow, its outputs, no documents', async () => {
		const { api, base } = await scene(version, made({ preview: { chunks: 3 } }));
		expect(await runPipeline(api, base.id, run(DRAFT))).toMatchObject({
			kind: 'preview',
			result: { status: 'succeeded', workflow: { outputs: { chunks: 3 } } },
		});
		expect(base.documents.size).toBe(0);
		base.pipeline!.previewFails = 'The chunker failed';
		expect((await refusal(runPipeline(api, base.id, run(DRAFT)))).serverText).toContain(
			'The chunker failed',
		);
	});

	test('a base without a pipeline says so, in each call', async () => {
		const { api, base } = await scene(version);
		const asked = {
			datasource: { nodeId: 'web', type: 'website_crawl' as const },
			inputs: {},
			...PUBLISHED,
		};
		for (const work of [
			async () => await listDatasources(api, base.id, PUBLISHED),
			async () => await runPipeline(api, base.id, run()),
			async () => await runDatasource(api, base.id, asked),
		])
			expect((await refusal(work())).message).toBe('The knowledge base has no pipeline');
	});

	test('nothing to work on is refused before anything is sent', async () => {
		const { api, base, sim } = await scene(version, made());
		expect((await refusal(runPipeline(api, base.id, run({ items: [] })))).message).toContain(
			'nothing for the pipeline',
		);
		const error = await refusal(
			runDatasource(api, base.id, { datasource, inputs: {}, ...PUBLISHED }),
		);
		expect(error.message).toContain('This datasource takes files');
		expect(sim.requests).toHaveLength(0);
	});

	test('a connection that breaks off is not tried again: documents may have been made', async () => {
		const { api, base, sim } = await scene(version, made());
		sim.fail({ path: /pipeline\/run$/, how: 'reset' });
		await refusal(runPipeline(api, base.id, run()));
		expect(writes(sim)).toHaveLength(1);
	});

	test.each([
		[
			'website_crawl',
			[{ source_url: 'http://a', title: 'A' }],
			[{ url: 'http://a', source_url: 'http://a', title: 'A' }],
		],
		[
			'online_document',
			[{ workspace_id: 'w', pages: [{ page_id: '1' }, { page_id: '2' }] }],
			[
				{ workspace_id: 'w', page: { page_id: '1' } },
				{ workspace_id: 'w', page: { page_id: '2' } },
			],
		],
		[
			'online_drive',
			[{ bucket: 'b', files: [{ id: 'f', name: 'f.md', type: 'file' }] }],
			[{ bucket: 'b', id: 'f', name: 'f.md', type: 'file' }],
		],
	] as const)('a datasource of the type %s gives what a run takes', async (type, gives, items) => {
		const { api, base, sim } = await scene(version, made({ gives }));
		const asked = {
			datasource: { nodeId: 'web', type },
			inputs: { url: 'http://a' },
			...PUBLISHED,
		};
		expect(await runDatasource(api, base.id, asked)).toEqual(items);
		const withCredential = await runDatasource(api, base.id, { ...asked, credentialId: 'c1' });
		expect(withCredential).toEqual(items.map((item) => ({ ...item, credential_id: 'c1' })));
		expect(lastBody(sim, /nodes\/web\/run$/)).toMatchObject({
			datasource_type: type,
			credential_id: 'c1',
		});
	});

	test('a datasource that fails is told with its own words', async () => {
		const { api, base } = await scene(
			version,
			made({ datasourceFails: 'Firecrawl: payment required' }),
		);
		const asked = {
			datasource: { nodeId: 'web', type: 'website_crawl' as const },
			inputs: {},
			...PUBLISHED,
		};
		const error = await refusal(runDatasource(api, base.id, asked));
		expect(error.message).toBe('The datasource failed in Dify');
		expect(error.serverText).toContain('Firecrawl: payment required');
	});

	test('whatever a datasource gives, records come out', async () => {
		const { api, base } = await scene(version, made());
		const asked = {
			datasource: { nodeId: 'web', type: 'online_document' as const },
			inputs: {},
			...PUBLISHED,
		};
		await fc.assert(
			fc.asyncProperty(fc.jsonValue(), async (gives) => {
				base.pipeline!.gives = gives;
				const items = await runDatasource(api, base.id, asked);
				expect(
					items.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item)),
				).toBe(true);
			}),
			{ numRuns: 20 },
		);
	});
});

test('Dify 1.12 has no pipelines, and is told as too old', async () => {
	const { api, base } = await scene('1.12', made());
	for (const work of [
		async () => await listDatasources(api, base.id, PUBLISHED),
		async () => await runPipeline(api, base.id, run()),
		async () => await uploadPipelineFile(api, source('x')),
	])
		expect((await refusal(work())).message).toContain('needs Dify 1.14 or newer');
});

describe('a pipeline of a real Dify (main of July 2026)', () => {
	const recording = (name: string, path: string) => {
		const { status, headers, body } = httpFixture(`dify-main-2026-07/pipeline-${name}.http`);
		const contentType = Object.fromEntries(headers)['Content-Type'];
		return { path: new RegExp(`${path}$`), status, contentType, body: body.toString() };
	};
	const crawl = { nodeId: 'crawl', type: 'website_crawl' as const };

	test('its datasource, the pages of that, a run and a draft', async () => {
		const { sim, api, base } = await scene('2026', made());
		sim.fail(recording('datasources', 'datasource-plugins'));
		const [website] = await listDatasources(api, base.id, PUBLISHED);
		expect(website).toMatchObject({ ...crawl, title: 'Website' });

		sim.fail(recording('datasource-run', 'crawl/run'));
		const pages = await runDatasource(api, base.id, {
			datasource: crawl,
			inputs: { url: 'http://site.example/' },
			...PUBLISHED,
		});
		expect(pages.map(({ title, url }) => [title, url])).toEqual([
			['zebra', 'http://site.example/zebra'],
			['owl', 'http://site.example/owl'],
		]);

		const asked = run({ datasource: crawl, items: pages });
		sim.fail(recording('run', 'pipeline/run'));
		expect(await runPipeline(api, base.id, asked)).toMatchObject({
			kind: 'documents',
			batch: '20261123123656462527',
			documents: [{ name: 'owl', indexing_status: 'waiting' }],
		});

		sim.fail(recording('draft-run', 'pipeline/run'));
		expect(await runPipeline(api, base.id, { ...asked, ...DRAFT })).toMatchObject({
			kind: 'preview',
			result: { status: 'succeeded', workflow: { outputs: { chunk_structure: 'text_model' } } },
		});
	});
});
