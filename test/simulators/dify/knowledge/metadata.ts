import { invalid, isJson, missing, pydantic } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { datasetOf, oneOf } from './checks';
import { builtInFields } from './shapes';
import type { SimDataset } from './state';

export function listFields(call: Call): void {
	const { fields, documents, builtIn } = datasetOf(call);
	const count = (id: string) =>
		[...documents.values()].filter(({ values }) =>
			[...values.values()].some((value) => value.id === id),
		).length;
	call.reply(200, {
		doc_metadata: fields.map((field) => ({ ...field, count: count(field.id) })),
		built_in_field_enabled: builtIn,
	});
}

function checkName(dataset: SimDataset, name: string): void {
	if (name.length > 255) throw invalid('Metadata name cannot exceed 255 characters.');
	if (dataset.fields.some((field) => field.name === name))
		throw invalid('Metadata name already exists.');
	if (builtInFields().some((field) => field.name === name))
		throw invalid('Metadata name already exists in Built-in fields.');
}

export function createField(call: Call): void {
	const { payload } = call;
	const model = 'MetadataArgs';
	const lacking = ['type', 'name']
		.filter((name) => !(name in payload))
		.map((name) => missing(name, payload));
	if (lacking.length > 0) throw pydantic(model, lacking);
	oneOf(model, 'type', payload.type, ['string', 'number', 'time'], 'literal_error');
	const dataset = datasetOf(call);
	const field = {
		id: call.store.newId('field'),
		type: String(payload.type),
		name: String(payload.name),
	};
	checkName(dataset, field.name);
	dataset.fields.push(field);
	call.reply(201, field);
}

/** Unless the update is partial, fields that are not listed are removed. */
export function setMetadata(call: Call): void {
	const { payload } = call;
	const dataset = datasetOf(call);
	const model = 'MetadataOperationData';
	const { operation_data: operations } = payload;
	if (!Array.isArray(operations)) throw pydantic(model, [missing('operation_data', payload)]);
	(operations as Json[]).forEach((operation, at) => {
		if (!Array.isArray(operation.metadata_list))
			throw pydantic(model, [missing(`operation_data.${at}.metadata_list`, operation)]);
	});
	for (const operation of operations as Json[]) {
		const document = dataset.documents.get(String(operation.document_id));
		if (document === undefined) {
			throw invalid('Document not found.');
		}
		if (operation.partial_update !== true) document.values.clear();
		for (const { id, name, value } of (operation.metadata_list as Json[]).filter(isJson))
			document.values.set(String(name), { id: String(id), value });
	}
	call.reply(200, { result: 'success' });
}
