import { fileNodeOf, fileNodes, runPipeline } from '../../../../lib/dify/knowledge/pipelines';
import type { SimDataset } from '../../../servers/dify';
import { httpFixture } from '../../../support/streams';
import { failureOf } from '../client';
import { lastBody, scene, writes } from './setup';

const FILES = { node_id: 'files', plugin_id: 'p', datasource_type: 'local_file', title: 'File' };
const SCANS = { node_id: 'scans', plugin_id: 'p', datasource_type: 'local_file', title: 'Scans' };
const WEB = {
	node_id: 'web',
	plugin_id: 'w',
	datasource_type: 'website_crawl',
	title: 'Firecrawl',
};
const node = { id: 'files', title: 'File' };

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

describe('knowledge pipelines', () => {
	test('the node: the only one that takes files, by its ID, or an error that names those there are', async () => {
		const { api, base, sim } = await scene(made());
		expect(await fileNodes(api, base.id)).toEqual([node]);
		expect(sim.requests[0]!.query.toString()).toBe('is_published=true');
		expect(await fileNodeOf(api, base.id, undefined)).toEqual(node);
		base.pipeline!.datasources = [FILES, SCANS, WEB];
		expect(await fileNodeOf(api, base.id, 'scans')).toMatchObject({ title: 'Scans' });
		for (const [nodeId, text] of [
			[undefined, 'The pipeline has several datasources for files'],
			['web', 'The pipeline has no datasource for files "web"'],
		] as const) {
			const error = await failureOf(fileNodeOf(api, base.id, nodeId));
			expect(error.message).toContain(text);
			expect(error.remedy).toContain('File (files), Scans (scans)');
		}
		base.pipeline!.datasources = [WEB];
		expect((await failureOf(fileNodeOf(api, base.id, undefined))).remedy).toContain(
			'Publish a pipeline',
		);
	});

	test('D120: a published run is answered with JSON although a stream was asked for', async () => {
		const { api, base, sim } = await scene(made());
		const text = 'Llamas live in the Andes.';
		const outcome = await runPipeline(api, base.id, node, source(text), { depth: 1 });
		const [document] = [...base.documents.values()];
		expect(outcome).toMatchObject({
			batch: document!.batch,
			documents: [{ id: document!.id, name: 'notes.txt' }],
		});
		expect(document!.text).toBe(text);
		const file = { reference: expect.any(String) as string, name: 'notes.txt' };
		expect(lastBody(sim, /pipeline\/run$/)).toEqual({
			inputs: { depth: 1 },
			datasource_type: 'local_file',
			datasource_info_list: [{ ...file, related_id: expect.any(String) as string }],
			start_node_id: 'files',
			is_published: true,
			response_mode: 'streaming',
		});
	});

	test('D121: a 500 with pipeline_run_error shows the cause, is not "server down", and is not sent again', async () => {
		const { api, base, sim } = await scene(made({ fails: "Variable 'depth' is required" }));
		const error = await failureOf(runPipeline(api, base.id, node, source('x'), {}));
		expect(error).toMatchObject({
			kind: 'runFailed',
			code: 'pipeline_run_error',
			retryable: false,
		});
		expect(error.message).toBe('The pipeline failed in Dify');
		expect(error.serverText).toContain("Variable 'depth' is required");
		expect(writes(sim)).toHaveLength(2);
	});

	test('a base without a pipeline says so, in each call', async () => {
		const { api, base } = await scene();
		for (const work of [
			async () => await fileNodes(api, base.id),
			async () => await runPipeline(api, base.id, node, source('x'), {}),
		])
			expect((await failureOf(work())).message).toBe('The knowledge base has no pipeline');
	});

	test('a connection that breaks off is not tried again: documents may have been made', async () => {
		const { api, base, sim } = await scene(made());
		sim.fail({ path: /pipeline\/run$/, how: 'reset' });
		await failureOf(runPipeline(api, base.id, node, source('x'), {}));
		expect(writes(sim)).toHaveLength(2);
	});
});

test('the run of a real Dify (main of July 2026)', async () => {
	const { api, base, sim } = await scene(made());
	const { status, headers, body } = httpFixture('dify-main-2026-07/pipeline-run.http');
	sim.fail({
		path: /pipeline\/run$/,
		status,
		contentType: Object.fromEntries(headers)['Content-Type'],
		body: body.toString(),
	});
	expect(await runPipeline(api, base.id, node, source('x'), {})).toMatchObject({
		batch: '20261123123656462527',
		documents: [{ name: 'owl', indexing_status: 'waiting' }],
	});
});
