/** Sync of a knowledge base with the items. */
import type { INodeExecutionData } from 'n8n-workflow';
import { buildDocumentList } from '../../../lib/dify/knowledge/documents';
import type { SyncRun, SyncSource, SyncStep } from '../../../lib/dify/knowledge/sync';
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
import { toName } from '../../../lib/fields/check-value';
import type { FieldTable, ValueSource, Values } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { createFileSource } from '../../../lib/n8n/binary';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import { optionsField } from '../../shared/fields/options-field';
import { defineOperation } from '../../shared/items/define-operation';
import type { FieldValues } from '../../shared/items/define-operation';
import { toItemErrorOrThrow } from '../../shared/items/item-error';
import type { OperationItem, OperationResult } from '../../shared/items/operation';
import {
	datasetField,
	documentFileField,
	indexingWaitField,
	INDEXING_WAIT_MS,
	textField,
} from '../fields';
import { contentOptions, datasetSetupOptions, toCreateOptions } from './upsert';
import { getOwn } from '../../../lib/values/own-properties';

const fields = {
	difyDatasetId: datasetField,
	source: {
		kind: 'name',
		label: 'Source',
		placeholder: 'e.g. manuals/llama.md',
		description:
			'Stable identifier of the document, such as its file path or its ID in the source system. If empty: the source, path or ID in the item, otherwise the path of its file.',
		parse: parseSource,
	},
	contentType: {
		kind: 'choice',
		label: 'Content',
		default: 'file',
		choices: { file: 'File', text: 'Text' },
	},
	binaryPropertyName: { ...documentFileField, shownIf: { contentType: ['file'] } },
	text: { ...textField, shownIf: { contentType: ['text'] } },
	dryRun: {
		kind: 'switch',
		label: 'Dry Run',
		default: false,
		description: 'Whether to only report the changes without making them',
	},
	options: optionsField({
		hash: {
			kind: 'name',
			label: 'Hash',
			description:
				"Value that changes with the content, such as a checksum or the source's modification time. If empty, the node calculates a checksum.",
		},
		maxRemovedPercent: {
			kind: 'number',
			label: 'Max Removals (%)',
			default: 20,
			range: [0, 100],
			description:
				'Cancels the sync before any change if more than this share of the documents would be removed',
		},
		name: {
			kind: 'name',
			label: 'Name',
			description: 'Name of new documents. If empty, the file name or the source is used.',
		},
		wait: {
			...indexingWaitField,
			range: [1],
			description:
				'How long to wait until Dify has indexed a document. Only then is it marked as synced.',
		},
		onMissingSource: {
			kind: 'choice',
			label: 'When Source Is Missing',
			default: 'disable',
			choices: {
				delete: 'Delete',
				disable: ['Disable', 'Hide from searches; can be enabled again'],
				keep: 'Keep',
			},
			description:
				'What to do with synced documents whose source is no longer among the input items',
		},
		...contentOptions,
		...datasetSetupOptions,
	}),
} as const satisfies FieldTable;

type SyncCall = DifyCall & FieldValues<typeof fields>;

/** What the field Source says. */
interface EnteredSource {
	/** Trimmed. */
	text: string;
	/** Whether it was left empty: then the item names the source. An expression without a result does not leave it empty. */
	isDefault: boolean;
}

function parseSource(value: unknown, source: ValueSource): EnteredSource {
	const isBlank = typeof value === 'string' && value.trim() === '';
	return { text: toName(source, value), isDefault: isBlank && !source.isExpression };
}

export const documentSync: DifyOperation = defineOperation({
	name: 'Sync',
	value: 'sync',
	action: 'Sync documents',
	description:
		'Create, update and remove documents so that the knowledge base matches the input items',
	mainFields: ['source', 'text'],
	fields,
	runsOnceForAllItems: true,
	execute: syncItems,
});

interface SyncItem extends SyncSource {
	itemIndex: number;
	datasetId: string;
}

/**
 * Syncs knowledge bases with the items: all items of one together, since other sources count as missing. The output has
 * the results in order of the sources, then the documents whose source is missing.
 */
async function syncItems(call: SyncCall) {
	// "Always Output Data" turns an empty list into one empty item.
	const hasItems = call.context
		.getInputData()
		.some(({ json, binary }) => Object.keys({ ...json, ...binary }).length > 0);
	if (!hasItems && call.values.source.text === '') {
		call.hint('The input has no items, so nothing was changed.');
		return [];
	}
	const allItems: SyncItem[] = [];
	const results: OperationResult = [];
	for (const itemIndex of call.itemIndexes) {
		try {
			allItems.push(await readSyncItem(call, itemIndex));
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
function readSource({ json, binary }: INodeExecutionData, values: Values<typeof fields>) {
	const { text, isDefault } = values.source;
	const source = isDefault ? getItemSource({ json, binary }, values) : text;
	if (source === '') throw createEmptyFieldError(fields.source, NO_SOURCE);
	return source;
}

function getItemSource({ json, binary }: INodeExecutionData, values: Values<typeof fields>) {
	const { binaryPropertyName = DEFAULT_FILE } = values;
	// n8n's Read Files returns the path of a file only here.
	const file = getOwn(binary, binaryPropertyName);
	const path = [file?.directory, file?.fileName].filter(isNonEmpty).join('/');
	return toName(fields.source, json.source ?? json.path ?? json.id ?? path);
}

/** The file whose path names a text. */
const DEFAULT_FILE = 'data';

const NO_SOURCE = 'Enter an identifier for the document, for example the path or ID of its file.';

async function readSyncItem(
	{ context, hint, valuesOf }: SyncCall,
	itemIndex: number,
): Promise<SyncItem> {
	const values = valuesOf(itemIndex);
	const source = readSource(context.getInputData()[itemIndex]!, values);
	const { binaryPropertyName, text = '', difyDatasetId: datasetId } = values;
	const { hash, name } = values.options;
	const file =
		binaryPropertyName === undefined
			? undefined
			: await createFileSource(context, itemIndex, binaryPropertyName);
	if (file !== undefined) assertDocument(file);
	file?.warnings?.forEach(hint);
	return {
		itemIndex,
		datasetId,
		source,
		name: name || (file?.name ?? source),
		hash: hash || (await computeSha256(file?.open() ?? [Buffer.from(text)])),
		content: async (name) =>
			file === undefined ? { type: 'text', name, text } : { type: 'file', file: { ...file, name } },
	};
}

/** Syncs one knowledge base, with the credential and the options of its first item. */
async function syncDataset(call: SyncCall, items: readonly SyncItem[], isComplete: boolean) {
	const { itemIndex, datasetId } = items[0]!;
	const { client } = await call.accessOf(itemIndex);
	const { options, dryRun } = call.valuesOf(itemIndex);
	const {
		onMissingSource = 'disable',
		maxRemovedPercent = fields.options.fields.maxRemovedPercent.default,
		wait = INDEXING_WAIT_MS,
	} = options;
	const run: SyncRun = { datasetId, create: toCreateOptions(options), waitMs: wait };
	// All documents, since Dify's filters may miss some.
	const documents = await fetchAllPages(client, buildDocumentList(datasetId));
	const steps = planSync(items, documents, { onMissingSource, maxRemovedPercent, isComplete });
	const indexes = new Map(items.map(({ source, itemIndex }) => [source, itemIndex]));
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
