import type { INodeProperties } from 'n8n-workflow';

import { getDocument } from '../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../lib/dify/knowledge/indexing';
import { replaceContent, upsertDocument, type CreateOptions, type Upserted } from '../../lib/dify/knowledge/upsert';
import type { JsonRecord } from '../../lib/values';
import { binarySource } from '../shared/binary';
import { datasetField, datasetIdIn } from '../shared/dify/knowledge-fields';
import type { KnowledgeCall, KnowledgeOperation } from './call';
import { contentOptions, createOptionsIn, existsOptions, fileOptions, firstOptions } from './document/content-fields';
import { binaryField, documentField, documentIdIn, optionsField, textField, waitField } from './fields';

const nameField: INodeProperties = {
	displayName: 'Name',
	name: 'name',
	type: 'string',
	default: '',
	required: true,
	description: 'Of the document, at most 200 characters. The document of this name is updated where there is one.',
};

/** Waits for the document, and tells what became of it. */
async function finished(
	{ api, parameters, signal, hint }: KnowledgeCall,
	datasetId: string,
	made: Upserted,
): Promise<JsonRecord[]> {
	const { action, documentId, batch, document, remarks } = made;
	remarks.forEach(hint);
	const item = { action, documentId, datasetId, name: document.name, ...(batch === undefined ? {} : { batch }) };
	const limitMs = parameters.milliseconds('wait', 300_000);
	if (action === 'skipped' || limitMs === 0)
		return [{ ...item, indexingStatus: document.indexing_status, ...warnings(remarks) }];
	const { status, total } = await waitForIndexing(api, datasetId, { documentId, batch }, { limitMs, signal });
	const empty = total === 0 ? ['Dify made no chunks of the document, so it is never found.'] : [];
	empty.forEach(hint);
	return [{ ...item, indexingStatus: status, chunks: total, ...warnings([...remarks, ...empty]) }];
}

function warnings(remarks: string[]): JsonRecord {
	return remarks.length === 0 ? {} : { warnings: remarks };
}

function existing({ parameters }: KnowledgeCall): Partial<CreateOptions> {
	return {
		ifExists: parameters.choice<'update' | 'fail' | 'skip'>('options.ifExists', 'update'),
		ifDisabled: parameters.choice<'enable' | 'fail'>('options.ifDisabled', 'fail'),
	};
}

async function fileIn({ context, parameters }: KnowledgeCall) {
	return await binarySource(context, parameters.itemIndex, parameters.name('binaryPropertyName'));
}

function mostMegabytes({ parameters }: KnowledgeCall): Partial<CreateOptions> {
	return { mostMegabytes: parameters.number('options.maxFileSize', undefined) };
}

export const documentUpsertFile: KnowledgeOperation = {
	option: {
		name: 'Create or Update From File',
		value: 'upsertFile',
		action: 'Create or update a document from a file',
		description: 'The document of the same name is updated where there is one',
	},
	fields: [
		datasetField,
		binaryField,
		waitField,
		optionsField([...contentOptions, ...firstOptions, ...existsOptions, ...fileOptions]),
	],
	run: async (call) => {
		const { api, parameters, signal } = call;
		const datasetId = datasetIdIn(parameters);
		const options = { ...createOptionsIn(parameters), ...existing(call), ...mostMegabytes(call), signal };
		const made = await upsertDocument(api, datasetId, { file: await fileIn(call) }, options);
		return await finished(call, datasetId, made);
	},
};

export const documentUpsertText: KnowledgeOperation = {
	option: {
		name: 'Create or Update From Text',
		value: 'upsertText',
		action: 'Create or update a document from text',
		description: 'The document of the same name is updated where there is one',
	},
	fields: [
		datasetField,
		nameField,
		textField,
		waitField,
		optionsField([...contentOptions, ...firstOptions, ...existsOptions]),
	],
	run: async (call) => {
		const { api, parameters, signal } = call;
		const datasetId = datasetIdIn(parameters);
		const content = { name: parameters.name('name'), text: parameters.freeText('text') };
		const options = { ...createOptionsIn(parameters), ...existing(call), signal };
		return await finished(call, datasetId, await upsertDocument(api, datasetId, content, options));
	},
};

const disabledOption = existsOptions.filter(({ name }) => name === 'ifDisabled');

async function replaced(call: KnowledgeCall, content: Parameters<typeof replaceContent>[3]): Promise<JsonRecord[]> {
	const { api, parameters, signal } = call;
	const datasetId = datasetIdIn(parameters);
	const document = await getDocument(api, datasetId, documentIdIn(parameters), 'without', signal);
	const { ifDisabled } = existing(call);
	const options = { ...createOptionsIn(parameters), ...mostMegabytes(call), ifDisabled, signal };
	return await finished(call, datasetId, await replaceContent(api, datasetId, document, content, options));
}

export const documentUpdateFile: KnowledgeOperation = {
	option: {
		name: 'Update From File',
		value: 'updateFile',
		action: 'Update a document from a file',
		description: 'Replace the content; the name stays, since Dify cannot rename documents',
	},
	fields: [
		datasetField,
		documentField,
		binaryField,
		waitField,
		optionsField([...contentOptions, ...disabledOption, ...fileOptions]),
	],
	run: async (call) => await replaced(call, { file: await fileIn(call) }),
};

export const documentUpdateText: KnowledgeOperation = {
	option: {
		name: 'Update From Text',
		value: 'updateText',
		action: 'Update a document from text',
		description: 'Replace the content; the name stays, since Dify cannot rename documents',
	},
	fields: [datasetField, documentField, textField, waitField, optionsField([...contentOptions, ...disabledOption])],
	run: async (call) => await replaced(call, { text: call.parameters.freeText('text') }),
};
