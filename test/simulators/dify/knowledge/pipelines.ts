import { onlyPart, storeFile } from '../files';
import { DifyHttpError, invalid, isJson, isoTime, missing, pydantic } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { datasetOf } from './checks';
import { addDocument, batchOf } from './documents';
import { OWNER } from './shapes';
import type { SimDataset, SimPipeline } from './state';

export function upload(call: Call): void {
	const file = storeFile(call.store, call.user, onlyPart(call));
	call.reply(201, {
		id: file.id,
		name: file.name,
		size: file.size,
		extension: file.extension,
		mime_type: file.mimeType,
		created_by: OWNER,
		created_at: `${isoTime(file.createdAt).replace('Z', '')}.738246`,
	});
}

function pipelineOf(dataset: SimDataset): SimPipeline {
	if (dataset.pipeline === undefined) throw invalid('Pipeline not found');
	return dataset.pipeline;
}

export function listDatasources(call: Call): void {
	call.reply(200, pipelineOf(datasetOf(call)).datasources);
}

function wants(model: string, payload: Json, fields: string[]): void {
	const problems = fields
		.filter((field) => !(field in payload))
		.map((field) => missing(field, payload));
	if (problems.length > 0) throw pydantic(model, problems);
}

const FIELDS = [
	'inputs',
	'datasource_type',
	'datasource_info_list',
	'start_node_id',
	'is_published',
	'response_mode',
];

/** A published pipeline always answers with JSON. */
export function run(call: Call): void {
	const { payload, store } = call;
	const dataset = datasetOf(call);
	wants('PipelineRunApiEntity', payload, FIELDS);
	const pipeline = pipelineOf(dataset);
	const fail = (text: string) => new DifyHttpError(500, 'pipeline_run_error', text);
	if (pipeline.fails !== undefined) throw fail(pipeline.fails);
	const nodes = pipeline.datasources.map((each) => each.node_id);
	if (!nodes.includes(payload.start_node_id)) throw fail('Start node is not found');
	const batch = batchOf(store);
	const infos = Array.isArray(payload.datasource_info_list)
		? payload.datasource_info_list.filter(isJson)
		: [];
	const documents = infos.map((info) => {
		const page = isJson(info.page) ? info.page : {};
		const name = String(info.name ?? info.title ?? page.page_name ?? 'untitled');
		const file = store.files.get(String(info.reference ?? info.related_id));
		if (payload.datasource_type === 'local_file' && file === undefined)
			throw fail('File is not exist');
		const document = addDocument(store, dataset, {
			name,
			batch,
			text: file === undefined ? JSON.stringify(info) : new TextDecoder().decode(file.content),
			createdFrom: 'rag-pipeline',
		});
		return {
			id: document.id,
			position: document.position,
			data_source_type: payload.datasource_type,
			data_source_info: info,
			name,
			indexing_status: 'waiting',
			error: null,
			enabled: true,
		};
	});
	const { id, name, description } = dataset;
	call.reply(200, {
		batch,
		dataset: { id, name, description, chunk_structure: dataset.form },
		documents,
	});
}
