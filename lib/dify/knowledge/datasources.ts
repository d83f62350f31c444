import { type ServerError, throwAs } from '../../errors/server-error';
import { pathSegment } from '../../http/path-segment';
import {
	asList,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	recordsIn,
} from '../../values';
import { answerError, difyFailure, invalidParam } from '../errors/failure';
import { needsNewer } from '../errors/too-old';
import type { KnowledgeApi } from './api';
import { pipelineRoutes } from './routes';

/** Beginning of the sentence about a Dify that is too old. */
export const PIPELINE_FEATURE = 'Using knowledge pipelines';

const DATASOURCE_TYPES = [
	'local_file',
	'online_document',
	'website_crawl',
	'online_drive',
] as const;
type DatasourceType = (typeof DATASOURCE_TYPES)[number];

/** The published version of a pipeline, or its draft. Dify runs a draft as a preview without documents. */
export interface PipelineVersion {
	published: boolean;
}

/** A node at which a pipeline can start (docs/protocols/dify.md 2.13). */
export interface Datasource {
	nodeId: string;
	type: DatasourceType;
	title: string;
	/** The plugin's record, as Dify sent it. */
	record: JsonRecord;
}

/**
 * Lists the datasources of a pipeline. Dify 1.14 takes any value of `is_published` as true, even `false`, so it is not
 * sent for the draft.
 *
 * @throws {ServerError} also for a knowledge base without a pipeline
 */
export async function listDatasources(
	api: KnowledgeApi,
	baseId: string,
	{ published }: PipelineVersion,
): Promise<Datasource[]> {
	const is_published = published ? 'true' : undefined;
	const request = api.call(pipelineRoutes.datasources, { dataset_id: baseId, is_published });
	const records = await needsNewer(PIPELINE_FEATURE, request).catch(throwAs(pipelineFailure));
	return records.flatMap((record) => {
		const nodeId = nonEmptyText(record.node_id);
		const type = DATASOURCE_TYPES.find((each) => each === record.datasource_type);
		if (nodeId === undefined || type === undefined) return [];
		return [{ nodeId, type, title: nonEmptyText(record.title) ?? nodeId, record }];
	});
}

/**
 * The datasource with this node ID; without one, the only one there is.
 *
 * @throws {ServerError} of kind `invalidParam` that names the existing ones
 */
export async function datasourceOf(
	api: KnowledgeApi,
	baseId: string,
	nodeId: string | undefined,
	version: PipelineVersion,
): Promise<Datasource> {
	const all = await listDatasources(api, baseId, version);
	const chosen = nodeId === undefined ? all : all.filter((each) => each.nodeId === nodeId);
	const [only] = chosen;
	if (only !== undefined && chosen.length === 1) return only;
	const names = all.map((each) => `${each.title} (${each.nodeId})`).join(', ');
	throw invalidParam(
		whyNone(all, nodeId),
		all.length === 0
			? 'Publish the pipeline in Dify, or choose the version Draft.'
			: `Choose one in the field Datasource. There are: ${names}.`,
	);
}

function whyNone(all: readonly Datasource[], nodeId: string | undefined): string {
	if (nodeId !== undefined) return `The pipeline has no datasource "${nodeId}"`;
	if (all.length === 0) return 'The pipeline has no datasource';
	return 'The pipeline has several datasources, and none is chosen';
}

interface DatasourceRun extends PipelineVersion {
	datasource: Pick<Datasource, 'nodeId' | 'type'>;
	inputs: JsonRecord;
	/** Credential of the datasource plugin. Default: its default credential. */
	credentialId?: string;
}

/**
 * Lists the items of a datasource: pages of a website or workspace, files of a drive.
 *
 * @returns records that a run takes as its items
 * @throws {ServerError} of kind `runFailed` with the reason of the datasource
 */
export async function runDatasource(
	api: KnowledgeApi,
	baseId: string,
	{ datasource, inputs, credentialId, published }: DatasourceRun,
): Promise<JsonRecord[]> {
	const { nodeId, type } = datasource;
	if (type === 'local_file')
		throw invalidParam(
			'This datasource takes files, and has nothing to ask for',
			'Upload a file, or let Run take the binary data of the item.',
		);
	const path = `/datasets/${baseId}/pipeline/datasource/nodes/${pathSegment(nodeId)}/run`;
	const json = {
		inputs,
		datasource_type: type,
		is_published: published,
		...optional({ credential_id: credentialId }),
	};
	const data = await needsNewer(PIPELINE_FEATURE, datasourceData(api, path, json)).catch(
		throwAs(pipelineFailure),
	);
	return itemsIn(type, data, credentialId);
}

async function datasourceData(api: KnowledgeApi, path: string, json: JsonRecord): Promise<unknown> {
	const { client } = api;
	const { connection } = client;
	const stream = await client.stream(client.url(path), { json });
	const { url } = stream;
	try {
		for await (const batch of stream.batches)
			for (const { event: name, data: text } of batch) {
				const event = recordOf(client.parse(text));
				if (event.event === 'datasource_completed') return event.data;
				if (event.event === 'datasource_error' || event.event === 'error')
					throw difyFailure('runFailed', {
						url,
						message: 'The datasource failed in Dify',
						remedy:
							'Check its inputs and its credential, in Dify under the plugin of the datasource.',
						serverText: connection.mask(reasonIn(event)),
					});
				if (name === 'whole-answer')
					throw answerError(
						connection,
						{ status: stream.status, headers: stream.headers, url, text, json: event },
						'POST',
					);
			}
	} finally {
		stream.close();
	}
	if (client.signal?.aborted === true) throw difyFailure('cancelled', { url });
	throw difyFailure('streamEndedEarly', {
		url,
		message: 'The datasource gave no result',
		remedy:
			'The connection to Dify broke, or the datasource did. Nothing was changed, so it can be asked again.',
	});
}

function reasonIn(event: JsonRecord): string {
	const { error, message, data } = event;
	return (
		[error, message, recordOf(data).error].map(nonEmptyText).find((text) => text !== undefined) ??
		''
	);
}

/** Flattens items that plugins group by workspace or bucket: a run takes single ones. */
function itemsIn(
	type: DatasourceType,
	data: unknown,
	credentialId: string | undefined,
): JsonRecord[] {
	const credential = credentialId === undefined ? {} : { credential_id: credentialId };
	const groups = isRecord(data) ? [data] : recordsIn(asList(data));
	return groups.flatMap((group): JsonRecord[] => {
		if (type === 'online_document' && Array.isArray(group.pages))
			return recordsIn(group.pages).map((page) => ({
				workspace_id: group.workspace_id,
				page,
				...credential,
			}));
		if (type === 'online_drive' && Array.isArray(group.files))
			return recordsIn(group.files).map((file) => ({
				bucket: group.bucket,
				...file,
				...credential,
			}));
		const address = nonEmptyText(group.url) ?? nonEmptyText(group.source_url);
		return [{ ...group, ...optional({ url: address }), ...credential }];
	});
}

/** Rewords errors for pipelines. */
export function pipelineFailure(error: ServerError): ServerError {
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
				'Correct what the text of Dify names: Inputs, Datasource, the file. Get Datasources shows which inputs a datasource wants. Before you run it again, look whether documents were made: each run makes new ones.',
		});
	return error;
}
