import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { upsertDocument, type DocumentContent } from '../../../lib/dify/knowledge/upsert';
import { omitEmpty, omitUndefined } from '../../../lib/values';
import { readFile } from '../../shared/dify/fields';
import { datasetField, readDatasetId } from '../../shared/dify/knowledge-fields';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import {
	choiceField,
	toOptions,
	optionsCollection,
	stringField,
} from '../../shared/field-builders';
import type { OperationItem } from '../../shared/run/operations';
import { documentBinaryField, textField, indexingWaitField } from '../fields';
import { contentOptions, readCreateOptions, datasetSetupOptions } from './content-fields';

const options = optionsCollection([
	indexingWaitField,
	...contentOptions,
	...datasetSetupOptions,
	choiceField('If It Exists', 'ifExists', 'update', {
		options: toOptions({
			fail: 'Fail',
			skip: ['Skip', 'Leave the document unchanged'],
			update: ['Update', 'Replace the content; keep ID and metadata'],
		}),
		description:
			'What to do if a document with this name exists. A disabled or archived document is enabled first, because Dify would create a duplicate.',
	}),
]);

export const documentUpsertFile: DifyOperation = {
	option: {
		name: 'Create or Update From File',
		value: 'upsertFile',
		action: 'Create or update a document from a file',
		description: 'Create a document, or update the one with the same name',
	},
	fields: [datasetField, documentBinaryField, options],
	run: async (call) => await upsert(call, { file: await readFile(call) }),
};

export const documentUpsertText: DifyOperation = {
	option: {
		name: 'Create or Update From Text',
		value: 'upsertText',
		action: 'Create or update a document from text',
		description: 'Create a document, or update the one with the same name',
	},
	fields: [
		datasetField,
		stringField('Name', 'name', {
			required: true,
			description:
				'Name of the document, up to 200 characters. An existing document with this name is updated.',
		}),
		textField,
		options,
	],
	run: async (call) => {
		const { parameters } = call;
		const name = parameters.requiredString('name');
		return await upsert(call, { name, text: parameters.rawString('text') });
	},
};

/** Creates or updates a document, and waits for indexing. */
async function upsert(call: DifyCall, content: DocumentContent): Promise<OperationItem[]> {
	const { client, parameters, hint } = call;
	const datasetId = readDatasetId(parameters);
	const result = await upsertDocument(call, datasetId, content, readCreateOptions(parameters));
	const { action, documentId, batch, document } = result;
	const item = {
		action,
		documentId,
		datasetId,
		name: document.name,
		...omitUndefined({ batch }),
	};
	const timeoutMs = parameters.milliseconds('options.wait', 300_000);
	if (action === 'skipped' || timeoutMs === 0)
		return [{ json: { ...item, indexingStatus: document.indexing_status } }];
	const indexing = { datasetId, documentId, batch };
	const { status, total } = await waitForIndexing(client, indexing, timeoutMs);
	const warnings =
		total === 0 ? ['Dify created no chunks for the document, so searches cannot find it.'] : [];
	warnings.forEach(hint);
	return [{ json: { ...item, indexingStatus: status, chunks: total, ...omitEmpty({ warnings }) } }];
}
