/** Sync of a knowledge base with the items. */
import type { IExecuteFunctions } from 'n8n-workflow';
import { buildDocumentList } from '../../../lib/dify/knowledge/documents';
import type { SyncOptions, SyncRun, SyncSource, SyncStep } from '../../../lib/dify/knowledge/sync';
import {
	computeSha256,
	toSyncResult,
	planSync,
	applySyncStep,
} from '../../../lib/dify/knowledge/sync';
import { fetchAllPages } from '../../../lib/dify/pages';
import { ServerError } from '../../../lib/errors/server-error';
import { assertDocument } from '../../../lib/files/document';
import { isNonEmpty } from '../../../lib/values/records';
import { pushAll } from '../../../lib/values/lists';
import { createFileSource } from '../../shared/binary';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import { NO_BINARY_FIELD, readId } from '../../shared/dify/dify-fields';
import {
	booleanField,
	choiceField,
	numberField,
	optionsCollection,
	stringField,
	shownIf,
} from '../../shared/field-builders';
import type { NodeParameters } from '../../shared/parameters';
import { asText, createEmptyFieldError } from '../../shared/parameters';
import { toItemErrorOrThrow } from '../../shared/run/item-error';
import type { OperationItem, OperationResult } from '../../shared/run/operation';
import { documentBinaryField, textField, datasetField } from '../fields';
import { contentOptions, readCreateOptions, datasetSetupOptions } from './upsert';
import { getOwn } from '../../../lib/values/own-properties';

export const documentSync: DifyOperation = {
	name: 'Sync',
	value: 'sync',
	action: 'Sync documents',
	description:
		'Create, update and remove documents so that the knowledge base matches the input items',
	mainFields: ['source', 'text'],
	fields: [
		datasetField,
		stringField('Source', 'source', {
			placeholder: 'e.g. manuals/llama.md',
			description:
				'Stable identifier of the document, such as its file path or its ID in the source system. If empty: the source, path or ID in the item, otherwise the path of its file.',
		}),
		choiceField('Content', 'contentType', 'file', {
			file: 'File',
			text: 'Text',
		}),
		{ ...documentBinaryField, ...shownIf('contentType', 'file') },
		{ ...textField, ...shownIf('contentType', 'text') },
		booleanField(
			'Dry Run',
			'dryRun',
			false,
			'Whether to only report the changes without making them',
		),
		optionsCollection([
			stringField(
				'Hash',
				'hash',
				"Value that changes with the content, such as a checksum or the source's modification time. If empty, the node calculates a checksum.",
			),
			numberField('Max Removals (%)', 'maxRemovedPercent', 20, {
				typeOptions: { minValue: 0, maxValue: 100 },
				description:
					'Cancels the sync before any change if more than this share of the documents would be removed',
			}),
			stringField(
				'Name',
				'name',
				'Name of new documents. If empty, the file name or the source is used.',
			),
			numberField('Wait for Indexing (Seconds)', 'wait', 300, {
				typeOptions: { minValue: 1 },
				description:
					'How long to wait until Dify has indexed a document. Only then is it marked as synced.',
			}),
			choiceField(
				'When Source Is Missing',
				'onMissingSource',
				'disable',
				{
					delete: 'Delete',
					disable: ['Disable', 'Hide from searches; can be enabled again'],
					keep: 'Keep',
				},
				'What to do with synced documents whose source is no longer among the input items',
			),
			...contentOptions,
			...datasetSetupOptions,
		]),
	],
	runsOnceForAllItems: true,
	execute: syncItems,
};

interface SyncItem extends SyncSource {
	itemIndex: number;
	datasetId: string;
}

/**
 * Syncs knowledge bases with the items: all items of one together, since other sources count as missing. The output has
 * the results in order of the sources, then the documents whose source is missing.
 */
async function syncItems(call: DifyCall) {
	// "Always Output Data" turns an empty list into one empty item.
	const hasItems = call.context
		.getInputData()
		.some(({ json, binary }) => Object.keys({ ...json, ...binary }).length > 0);
	if (!hasItems && call.parameters.rawString('source').trim() === '') {
		call.hint('The input has no items, so nothing was changed.');
		return [];
	}
	const allItems: SyncItem[] = [];
	const results: OperationResult = [];
	for (const itemIndex of call.itemIndexes) {
		try {
			allItems.push(await readSyncItem(call, call.parametersOf(itemIndex)));
		} catch (error) {
			results.push(toItemErrorOrThrow(call, { itemIndex, reason: error }));
		}
	}
	const isComplete = results.length === 0;
	if (!isComplete) call.hint('Some items could not be read, so this sync removes no documents.');
	for (const items of Map.groupBy(allItems, ({ datasetId }) => datasetId).values()) {
		const syncing = syncDataset(call, items, isComplete);
		pushAll(
			results,
			await syncing.catch((error: unknown) =>
				items.map(({ itemIndex }) => toItemErrorOrThrow(call, { itemIndex, reason: error })),
			),
		);
	}
	return results;
}

/** @throws {ServerError} if neither the field nor the item names a source */
function readSource(context: IExecuteFunctions, parameters: NodeParameters) {
	if (!parameters.isUnset('source')) return parameters.requiredString('source', NO_SOURCE);
	const { json, binary } = context.getInputData()[parameters.itemIndex]!;
	// n8n's Read Files returns the path of a file only here.
	const file = getOwn(binary, parameters.string('binaryPropertyName'));
	const path = [file?.directory, file?.fileName].filter(isNonEmpty).join('/');
	const field = parameters.field('source');
	const source = asText(field, json.source ?? json.path ?? json.id ?? path).trim();
	if (source === '') throw createEmptyFieldError(field.label, NO_SOURCE);
	return source;
}

const NO_SOURCE = 'Enter an identifier for the document, for example the path or ID of its file.';

async function readSyncItem(
	{ context, hint }: DifyCall,
	parameters: NodeParameters,
): Promise<SyncItem> {
	const { itemIndex } = parameters;
	const source = readSource(context, parameters);
	const customHash = parameters.string('options.hash');
	const customName = parameters.string('options.name');
	const file =
		parameters.choice('contentType') === 'text'
			? undefined
			: await createFileSource(
					context,
					itemIndex,
					parameters.requiredString('binaryPropertyName', NO_BINARY_FIELD),
				);
	if (file !== undefined) assertDocument(file);
	file?.warnings?.forEach(hint);
	const text = parameters.rawString('text');
	return {
		itemIndex,
		datasetId: readId(parameters, 'difyDatasetId'),
		source,
		name: customName || (file?.name ?? source),
		hash: customHash || (await computeSha256(file?.open() ?? [Buffer.from(text)])),
		content: async (name) =>
			file === undefined ? { type: 'text', name, text } : { type: 'file', file: { ...file, name } },
	};
}

/** Syncs one knowledge base, with the credential and the options of its first item. */
async function syncDataset(call: DifyCall, items: readonly SyncItem[], isComplete: boolean) {
	const { itemIndex, datasetId } = items[0]!;
	const { client } = await call.accessOf(itemIndex);
	const parameters = call.parametersOf(itemIndex);
	const options: SyncOptions = {
		onMissingSource: parameters.choice('options.onMissingSource', 'disable'),
		maxRemovedPercent: parameters.number('options.maxRemovedPercent', 20),
		isComplete,
	};
	// All documents, since Dify's filters may miss some.
	const steps = planSync(items, await fetchAllPages(client, buildDocumentList(datasetId)), options);
	const run: SyncRun = {
		datasetId,
		create: readCreateOptions(parameters),
		waitMs: Math.max(1000, parameters.milliseconds('options.wait', 300_000)),
	};
	const indexes = new Map(items.map(({ source, itemIndex }) => [source, itemIndex]));
	const dryRun = parameters.boolean('dryRun');
	const results: OperationResult = [];
	for (const step of steps) {
		const from = indexes.get(step.source) ?? itemIndex;
		const toItem = (json: object): OperationItem => ({ json: { ...json, datasetId }, from });
		if (dryRun) {
			results.push(toItem({ ...toSyncResult(step), dryRun }));
			continue;
		}
		try {
			results.push(toItem(await applySyncStep(client, step, run)));
		} catch (error) {
			const facts = { action: 'failed', source: step.source };
			const locked = toLockedResult(call, step, error);
			results.push(
				locked === undefined
					? toItemErrorOrThrow(call, { itemIndex: from, reason: error, facts })
					: toItem(locked),
			);
		}
	}
	return results;
}

/** The result for a document that Dify has locked: the sync continues, and the next one retries it. */
function toLockedResult({ hint }: DifyCall, step: SyncStep, error: unknown) {
	if (!(error instanceof ServerError) || error.type !== 'documentBusy') return undefined;
	const { name } = step.content ?? step.document ?? {};
	const reason = `"${String(name)}" was not ${step.action}; the next sync will try again: ${error.detail}. ${error.suggestion}`;
	hint(reason);
	return { ...toSyncResult(step), action: 'locked', warnings: [reason] };
}
