import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { documentRoutes } from '../../../lib/dify/knowledge/routes';
import {
	checkSources,
	type MissingSourceAction,
	hashOf,
	planSync,
	sha256,
	type SyncRules,
	type SyncSource,
	type SyncStep,
} from '../../../lib/dify/knowledge/sync';
import {
	plannedOutcome,
	runStep,
	type SyncOutcome,
	type SyncRun,
} from '../../../lib/dify/knowledge/sync-run';
import type { DocumentContent } from '../../../lib/dify/knowledge/upsert';
import { ServerError } from '../../../lib/errors/server-error';
import { timeSlices } from '../../../lib/http/time-slices';
import { append, filled } from '../../../lib/values';
import { binarySource } from '../../shared/binary';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { wrongField } from '../../shared/field-values';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import {
	booleanField,
	choiceField,
	choices,
	numberField,
	stringField,
} from '../../shared/field-kinds';
import type { NodeParameters } from '../../shared/parameters';
import { ItemFailure } from '../../shared/run/failed-item';
import type { OperationItem, OperationResult } from '../../shared/run/operations';
import { binaryField, textField } from '../fields';
import {
	contentOptions,
	createOptionsIn,
	fileOptions,
	firstOptions,
	writeOptions,
} from './content-fields';

const syncOptions: INodeProperties[] = [
	stringField('Hash', 'hash', {
		description:
			'What changes with the content, such as a checksum or a time that the source gives. Without it, the node reads the content and makes one.',
	}),
	numberField('Most Gone (%)', 'mostGone', 20, {
		typeOptions: { minValue: 0, maxValue: 100 },
		description:
			'If more of the documents than this have lost their source, the sync changes nothing',
	}),
	numberField('Wait for Indexing (Seconds)', 'wait', 300, {
		typeOptions: { minValue: 1 },
		description: 'How long to wait until Dify has indexed a document. Only then it counts as done.',
	}),
	choiceField('When Gone', 'whenGone', 'disable', {
		options: choices({
			delete: 'Delete',
			disable: ['Disable', 'No longer found, but can be enabled again'],
			keep: 'Keep',
		}),
		description: 'What happens to documents of earlier syncs whose item is not there any more',
	}),
];

export const documentSync: DifyOperation = {
	option: {
		name: 'Sync',
		value: 'sync',
		action: 'Sync documents',
		description: 'Keep the knowledge base in sync with all items: what is new, changed or gone',
	},
	fields: [
		datasetField,
		{
			displayName: 'Source',
			name: 'source',
			type: 'string',
			// n8n's own Read Files has the path of a file in its binary data only.
			default:
				"={{ $json.source ?? $json.path ?? $json.id ?? [$binary.data?.directory, $binary.data?.fileName].filter(Boolean).join('/') }}",
			required: true,
			description:
				'How the next sync recognises the document: the path of the file, or its ID where it lies',
		},
		choiceField('Content', 'contentType', 'file', {
			options: choices({
				file: 'File',
				text: 'Text',
			}),
		}),
		{ ...binaryField, displayOptions: { show: { contentType: ['file'] } } },
		{ ...textField, displayOptions: { show: { contentType: ['text'] } } },
		stringField('Name', 'name', {
			description: 'Of a new document. Without it, the name of the file, or the source.',
		}),
		booleanField('Dry Run', 'dryRun', false, {
			description: 'Whether to only tell what would be done',
		}),
		...writeOptions([...syncOptions, ...contentOptions, ...firstOptions, ...fileOptions]),
	],
	takesAllItems: () => true,
	run: syncItems,
};

/** One item of the source. */
interface Item extends SyncSource {
	itemIndex: number;
	content(name: string): Promise<DocumentContent>;
}

/**
 * Syncs knowledge bases with the items: all items of a base together, since other sources count as gone. The output has
 * the results of the sources in their order, then the documents whose source is gone.
 */
async function syncItems(call: DifyCall): Promise<OperationResult> {
	const { groups, failed, empty } = await groupsOf(call);
	const results: OperationResult = [...failed];
	if (failed.length > 0)
		call.hint('Some items could not be read, so nothing counts as gone in this sync.');
	if (empty) call.hint('There are no items to sync, so nothing was changed.');
	for (const [datasetId, items] of groups) {
		const first = items[0]!.itemIndex;
		const ofFirst = { ...(await call.accessOf(first)), parameters: call.parametersOf(first) };
		const sync = new Sync({ ...call, ...ofFirst }, datasetId, items);
		append(
			results,
			await sync.run(failed.length === 0).catch((error: unknown) => [failing(call, first, error)]),
		);
	}
	return results;
}

/** The failure of an item, or of a whole base. @throws {ItemFailure} unless the node continues on fail */
function failing(
	{ context, signal }: DifyCall,
	itemIndex: number,
	error: unknown,
	facts?: object,
): ItemFailure {
	const failed = error instanceof ItemFailure ? error : new ItemFailure(itemIndex, error, facts);
	if (context.continueOnFail() && !signal.aborted) return failed;
	throw failed;
}

interface Groups {
	groups: Map<string, Item[]>;
	failed: ItemFailure[];
	empty: boolean;
}

/** Reads all items before any request. */
async function groupsOf(call: DifyCall): Promise<Groups> {
	const groups = new Map<string, Item[]>();
	const failed: ItemFailure[] = [];
	// "Always Output Data" makes one empty item of an empty list.
	const isEmpty = call.context
		.getInputData()
		.every(({ json, binary }) => Object.keys({ ...json, ...binary }).length === 0);
	if (isEmpty && call.parameters.freeText('source').trim() === '')
		return { groups, failed, empty: true };
	const pause = timeSlices();
	for (const itemIndex of call.itemIndexes) {
		await pause();
		try {
			const { datasetId, item } = await itemAt(call.context, call.parametersOf(itemIndex));
			const items = groups.get(datasetId) ?? [];
			items.push(item);
			groups.set(datasetId, items);
		} catch (error) {
			failed.push(failing(call, itemIndex, error));
		}
	}
	return { groups, failed, empty: false };
}

async function itemAt(
	context: IExecuteFunctions,
	parameters: NodeParameters,
): Promise<{ datasetId: string; item: Item }> {
	const { itemIndex } = parameters;
	const source = parameters.freeText('source').trim();
	if (source === '')
		throw wrongField(
			'Source',
			'is empty',
			'Say how the document is recognised, for example by the path or the ID of its file.',
		);
	const isText = parameters.choice<'file' | 'text'>('contentType') === 'text';
	const ownHash = parameters.name('options.hash');
	const ownName = parameters.name('name');
	const datasetId = datasetIdIn(parameters);
	if (isText) {
		const text = parameters.freeText('text');
		const content = async (name: string) => ({ name, text });
		return {
			datasetId,
			item: { itemIndex, source, name: ownName || source, hash: ownHash || sha256(text), content },
		};
	}
	const file = await binarySource(context, itemIndex, parameters.name('binaryPropertyName'));
	const content = async (name: string) => ({ file: { ...file, name } });
	const hash = ownHash || (await hashOf(file.open()));
	return { datasetId, item: { itemIndex, source, name: ownName || file.name, hash, content } };
}

/** The sync of one base. */
class Sync {
	private readonly bySource: Map<string, Item>;

	/** @param call of the first of the items */
	constructor(
		private readonly call: DifyCall,
		private readonly datasetId: string,
		private readonly items: Item[],
	) {
		this.bySource = new Map(items.map((item) => [item.source, item]));
	}

	async run(isComplete: boolean): Promise<OperationResult> {
		const { api, parameters } = this.call;
		checkSources(this.items);
		const rules: SyncRules = {
			whenGone: parameters.choice<MissingSourceAction>('options.whenGone', 'disable'),
			mostGonePercent: parameters.number('options.mostGone', 20),
			isComplete,
		};
		// All of them, since Dify's filters may miss some.
		const documents = await api.list(documentRoutes.list, { dataset_id: this.datasetId }, 'all');
		const steps = await planSync(this.items, documents, rules);
		const run: SyncRun = {
			content: async (source, name) => await this.bySource.get(source)!.content(name),
			create: createOptionsIn(parameters),
			waitMs: Math.max(1000, parameters.milliseconds('options.wait', 300_000)),
		};
		const isDryRun = parameters.flag('dryRun');
		const pause = timeSlices();
		const results: OperationResult = [];
		for (const step of steps) {
			await pause();
			results.push(isDryRun ? this.planned(step) : await this.resultOf(step, run));
		}
		return results;
	}

	private planned(step: SyncStep): OperationItem {
		return this.shown(step, plannedOutcome(step), { dryRun: true });
	}

	private async resultOf(step: SyncStep, run: SyncRun): Promise<OperationItem | ItemFailure> {
		try {
			return this.shown(step, await runStep(this.call.api, this.datasetId, step, run));
		} catch (error) {
			const facts = { action: 'failed', source: step.source };
			return this.refused(step, error) ?? failing(this.call, this.itemIndexOf(step), error, facts);
		}
	}

	/** Result for a document that Dify has locked: the others go on, and the next sync tries it again. */
	private refused(step: SyncStep, error: unknown): OperationItem | undefined {
		if (!(error instanceof ServerError) || error.kind !== 'documentBusy') return undefined;
		const planned = plannedOutcome(step);
		const reason = `"${planned.name ?? step.source}" was not ${planned.action}: ${error.meaning}. The next sync does it. ${error.remedy}`;
		return this.shown(step, { ...planned, action: 'refused', remarks: [reason] });
	}

	private shown(
		step: SyncStep,
		{ remarks, ...outcome }: SyncOutcome,
		facts: object = {},
	): OperationItem {
		remarks.forEach(this.call.hint);
		const warnings = filled({ warnings: remarks });
		const json = { ...outcome, datasetId: this.datasetId, ...warnings, ...facts };
		return { json, from: this.itemIndexOf(step) };
	}

	/** Index of a step's item; of the first item where the source is gone. */
	private itemIndexOf({ source }: SyncStep): number {
		return (this.bySource.get(source) ?? this.items[0]!).itemIndex;
	}
}
