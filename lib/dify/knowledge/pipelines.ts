import { throwAs } from '../../errors/server-error';
import type { EventStream } from '../../http/types';
import type { FileSource } from '../../http/multipart';
import { isRecord, nonEmptyText, recordOf, recordsIn, type JsonRecord } from '../../values';
import { answerError, invalidParam } from '../errors/failure';
import { observeRun } from '../run/observe';
import type { RunResult } from '../types';
import { needsNewer } from '../errors/too-old';
import { fileIdIn, postFile } from '../files/upload';
import type { KnowledgeApi } from './api';
import {
	pipelineFailure,
	PIPELINE_FEATURE,
	type Datasource,
	type PipelineVersion,
} from './datasources';

/**
 * Uploads a file for a pipeline.
 *
 * @returns Dify's record of it; its `id` is the `reference` of a local file in a run
 * @throws {ServerError}
 */
export async function uploadPipelineFile(
	api: KnowledgeApi,
	source: FileSource,
): Promise<JsonRecord & { id: string }> {
	const path = '/datasets/pipeline/file-upload';
	const answer = await needsNewer(PIPELINE_FEATURE, postFile(api.client, path, source));
	return { ...answer, id: fileIdIn(api.client, path, answer) };
}

/** An uploaded file as an item of a run. Some versions read `related_id`, others `reference`. */
export function localFile({ id, name }: { id: string; name: string }): JsonRecord {
	return { reference: id, related_id: id, name };
}

export interface PipelineRun extends PipelineVersion {
	datasource: Pick<Datasource, 'nodeId' | 'type'>;
	/** Records of the datasource, one for each new document. */
	items: readonly JsonRecord[];
	/** Variables of the pipeline. */
	inputs: JsonRecord;
}

/** Result of a run: documents that Dify now indexes, or the preview of a draft. */
export type PipelineOutcome =
	| { kind: 'documents'; batch?: string; dataset: JsonRecord; documents: JsonRecord[] }
	| { kind: 'preview'; result: RunResult };

/**
 * Runs a pipeline. Always requests a stream, which only a draft sends; a published one answers with JSON at once
 * (docs/protocols/dify.md 2.13). Never retried: each run creates new documents.
 *
 * @throws {ServerError} of kind `runFailed` with Dify's reason, which may be the input
 */
export async function runPipeline(
	api: KnowledgeApi,
	baseId: string,
	{ datasource, items, inputs, published }: PipelineRun,
): Promise<PipelineOutcome> {
	const path = `/datasets/${baseId}/pipeline/run`;
	if (items.length === 0)
		throw invalidParam(
			'There is nothing for the pipeline to work on',
			'Give at least one file or item.',
		);
	const json = {
		inputs,
		datasource_type: datasource.type,
		datasource_info_list: [...items],
		start_node_id: datasource.nodeId,
		is_published: published,
		response_mode: 'streaming',
	};
	return await api
		.alone(baseId, path, async () => await needsNewer(PIPELINE_FEATURE, start(api, path, json)))
		.catch(throwAs(pipelineFailure));
}

async function start(api: KnowledgeApi, path: string, json: JsonRecord): Promise<PipelineOutcome> {
	const { client } = api;
	const outcome = await observeRun<PipelineOutcome>(client, {
		plan: { begin: 'send', isRecorded: false },
		request: { url: client.url(path), json },
		readWhole: async (stream, text) => await Promise.resolve(documentsIn(api, stream, text)),
	});
	return 'kind' in outcome ? outcome : { kind: 'preview', result: outcome };
}

function documentsIn(
	api: KnowledgeApi,
	{ url, status, headers }: EventStream,
	text: string,
): PipelineOutcome {
	const answer = api.client.parse(text);
	if (!isRecord(answer) || !Array.isArray(answer.documents))
		throw answerError(api.client.connection, { status, headers, url, text, json: answer }, 'POST');
	const documents = recordsIn(answer.documents);
	return {
		kind: 'documents',
		batch: nonEmptyText(answer.batch),
		dataset: recordOf(answer.dataset),
		documents,
	};
}
