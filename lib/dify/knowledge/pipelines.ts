import type { FileSource } from '../../http/multipart';
import { type ServerError, throwAs } from '../../errors/server-error';
import { nonEmptyText, recordsIn, type JsonRecord } from '../../values';
import { invalidParam } from '../errors/failure';
import { fileIdIn, postFile } from '../files/upload';
import type { KnowledgeApi } from './api';
import { pipelineRoutes } from './routes';

/** A node of a pipeline that takes files (docs/protocols/dify.md 2.13). */
export interface FileNode {
	id: string;
	title: string;
}

/** Nodes of the published pipeline that take files. @throws {ServerError} also for a base without a pipeline */
export async function fileNodes(api: KnowledgeApi, baseId: string): Promise<FileNode[]> {
	const records = await api
		.call(pipelineRoutes.datasources, { dataset_id: baseId })
		.catch(throwAs(pipelineFailure));
	return records.flatMap(({ node_id: nodeId, datasource_type: type, title }) => {
		const id = nonEmptyText(nodeId);
		if (id === undefined || type !== 'local_file') return [];
		return [{ id, title: nonEmptyText(title) ?? id }];
	});
}

/**
 * The node with this ID; without one, the only one there is.
 *
 * @throws {ServerError} of kind `invalidParam` that names the existing ones
 */
export async function fileNodeOf(
	api: KnowledgeApi,
	baseId: string,
	nodeId: string | undefined,
): Promise<FileNode> {
	const all = await fileNodes(api, baseId);
	const chosen = nodeId === undefined ? all : all.filter(({ id }) => id === nodeId);
	const [only] = chosen;
	if (only !== undefined && chosen.length === 1) return only;
	const names = all.map(({ id, title }) => `${title} (${id})`).join(', ');
	throw invalidParam(
		whyNone(all, nodeId),
		all.length === 0
			? 'Publish a pipeline that takes files in Dify.'
			: `Choose one in the field Datasource. There are: ${names}.`,
	);
}

function whyNone(all: readonly FileNode[], nodeId: string | undefined): string {
	if (nodeId !== undefined) return `The pipeline has no datasource for files "${nodeId}"`;
	if (all.length === 0) return 'The pipeline has no datasource for files';
	return 'The pipeline has several datasources for files, and none is chosen';
}

/** Documents that Dify now indexes. */
export interface PipelineDocuments {
	batch?: string;
	documents: JsonRecord[];
}

/**
 * Runs the published pipeline with a file. Never retried: each run creates new documents.
 *
 * @throws {ServerError} of kind `runFailed` with Dify's reason, which may be the input
 */
export async function runPipeline(
	api: KnowledgeApi,
	baseId: string,
	node: FileNode,
	source: FileSource,
	inputs: JsonRecord,
): Promise<PipelineDocuments> {
	const { id, name } = await uploaded(api, source);
	const answer = await api
		.call(pipelineRoutes.run, {
			dataset_id: baseId,
			inputs,
			datasource_type: 'local_file',
			// Some versions read `related_id`, others `reference`.
			datasource_info_list: [{ reference: id, related_id: id, name }],
			start_node_id: node.id,
			is_published: true,
			response_mode: 'streaming',
		})
		.catch(throwAs(pipelineFailure));
	return { batch: nonEmptyText(answer.batch), documents: recordsIn(answer.documents) };
}

async function uploaded(
	api: KnowledgeApi,
	source: FileSource,
): Promise<{ id: string; name: string }> {
	const path = '/datasets/pipeline/file-upload';
	const answer = await postFile(api.client, path, source);
	return {
		id: fileIdIn(api.client, path, answer),
		name: nonEmptyText(answer.name) ?? source.name,
	};
}

function pipelineFailure(error: ServerError): ServerError {
	if (/^Pipeline not found/.test(error.serverText ?? ''))
		return error.reworded({
			message: 'The knowledge base has no pipeline',
			meaning: 'The knowledge base has no pipeline: it was made without one',
			remedy:
				'Choose a knowledge base that was made from a pipeline, or use the operations of the resource Document.',
		});
	if (error.code === 'pipeline_run_error')
		return error.reworded({
			message: 'The pipeline failed in Dify',
			meaning:
				'Dify could not run the pipeline. Its text says why; it may be an input, a file or the pipeline itself',
			remedy:
				'Correct what the text of Dify names: Inputs, Datasource, the file. Before you run it again, look whether documents were made: each run makes new ones.',
		});
	return error;
}
