import type { IDataObject, IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import type { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import {
	checkSources,
	type GoneAction,
	hashOf,
	planSync,
	sha256,
	type SyncRules,
	type SyncSource,
	type SyncStep,
} from '../../../lib/dify/knowledge/sync';
import {
	documentsForSync,
	plannedOutcome,
	runStep,
	type SyncOutcome,
	type SyncRun,
} from '../../../lib/dify/knowledge/sync-run';
import type { DocumentContent } from '../../../lib/dify/knowledge/upsert';
import { binarySource } from '../../shared/binary';
import { difyNodeError, errorItem } from '../../shared/dify/errors';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { wrongField } from '../../shared/field-values';
import { NodeParameters } from '../../shared/parameters';
import { hintsOf, KnowledgeApis, type KnowledgeOperation } from '../call';
import { binaryField, optionsField, textField } from '../fields';
import { contentOptions, createOptionsIn, fileOptions, firstOptions } from './content-fields';

const syncOptions: INodeProperties[] = [
	{
		displayName: 'Hash',
		name: 'hash',
		type: 'string',
		default: '',
		description:
			'What changes with the content, such as a checksum or a time that the source gives. Without it, the node reads the content and makes one.',
	},
	{
		displayName: 'Most Gone (%)',
		name: 'mostGone',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 100 },
		default: 20,
		description: 'The sync changes nothing where more of its documents have lost their source',
	},
	{
		displayName: 'Wait for Indexing (Seconds)',
		name: 'wait',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 300,
		description: 'How long to wait until Dify has indexed a document. Only then it counts as done.',
	},
	{
		displayName: 'When Gone',
		name: 'whenGone',
		type: 'options',
		options: [
			{ name: 'Delete', value: 'delete' },
			{ name: 'Disable', value: 'disable', description: 'It is not found any more, but can come back' },
			{ name: 'Keep', value: 'keep' },
		],
		default: 'disable',
		description: 'What happens to documents of earlier syncs whose item is not there any more',
	},
];

export const documentSync: Omit<KnowledgeOperation, 'run'> = {
	option: {
		name: 'Sync',
		value: 'sync',
		action: 'Sync documents',
		description: 'Bring the knowledge base in step with all items: what is new, changed or gone',
	},
	fields: [
		datasetField,
		{
			displayName: 'Source',
			name: 'source',
			type: 'string',
			default: '={{ $json.source ?? $json.path ?? $json.id }}',
			required: true,
			description: 'By what the document is known again: the path of the file, or its ID where it lies',
		},
		{
			displayName: 'Content',
			name: 'contentType',
			type: 'options',
			options: [
				{ name: 'File', value: 'file' },
				{ name: 'Text', value: 'text' },
			],
			default: 'file',
		},
		{ ...binaryField, displayOptions: { show: { contentType: ['file'] } } },
		{ ...textField, displayOptions: { show: { contentType: ['text'] } } },
		{
			displayName: 'Name',
			name: 'name',
			type: 'string',
			default: '',
			description: 'Of a new document. Without it, the name of the file, or the source.',
		},
		{
			displayName: 'Dry Run',
			name: 'dryRun',
			type: 'boolean',
			default: false,
			description: 'Whether to only tell what would be done',
		},
		optionsField([...syncOptions, ...contentOptions, ...firstOptions, ...fileOptions]),
	],
};

/** One item of the source. */
interface Item extends SyncSource {
	itemIndex: number;
	content(name: string): Promise<DocumentContent>;
}

/**
 * Brings knowledge bases in step with the items: all items of one base together, since what is not among them is gone.
 * Items give the results of their own sources, in their order; documents whose source is gone come behind them.
 */
export async function syncItems(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const apis = new KnowledgeApis(context);
	const hint = hintsOf(context);
	const results: INodeExecutionData[] = [];
	const { groups, failed, empty } = await groupsOf(context);
	results.push(...failed);
	if (failed.length > 0) hint('Some items could not be read, so nothing counts as gone in this sync.');
	if (empty) hint('There are no items to sync, so nothing was changed.');
	for (const [datasetId, items] of groups) {
		const first = items[0]!.itemIndex;
		const sync = new Sync(context, await apis.of(first), datasetId, items, hint);
		results.push(...(await sync.run(failed.length === 0).catch((error: unknown) => failing(context, error, first))));
	}
	return results;
}

/** The failure of a whole base. */
function failing(context: IExecuteFunctions, error: unknown, itemIndex: number): INodeExecutionData[] {
	if (context.continueOnFail()) return [errorItem(context.getNode(), error, itemIndex)];
	throw difyNodeError(context.getNode(), error, itemIndex);
}

interface Groups {
	groups: Map<string, Item[]>;
	failed: INodeExecutionData[];
	empty: boolean;
}

/** Reads all items before anything is asked or changed. */
async function groupsOf(context: IExecuteFunctions): Promise<Groups> {
	const groups = new Map<string, Item[]>();
	const failed: INodeExecutionData[] = [];
	const items = context.getInputData();
	// "Always Output Data" makes one empty item of an empty list.
	const isEmpty = items.every(({ json, binary }) => Object.keys({ ...json, ...binary }).length === 0);
	if (isEmpty && sourceOf(context, 0) === '') return { groups, failed, empty: true };
	for (const itemIndex of items.keys()) {
		const read = await itemAt(context, itemIndex).then(
			(value) => ({ value }),
			(error: unknown) => ({ error }),
		);
		if ('error' in read) {
			failed.push(...failing(context, read.error, itemIndex));
			continue;
		}
		const { datasetId, item } = read.value;
		groups.set(datasetId, [...(groups.get(datasetId) ?? []), item]);
	}
	return { groups, failed, empty: false };
}

function parametersOf(context: IExecuteFunctions, itemIndex: number): NodeParameters {
	return new NodeParameters(context, itemIndex, documentSync.fields);
}

function sourceOf(context: IExecuteFunctions, itemIndex: number): string {
	return parametersOf(context, itemIndex).freeText('source').trim();
}

async function itemAt(context: IExecuteFunctions, itemIndex: number): Promise<{ datasetId: string; item: Item }> {
	const parameters = parametersOf(context, itemIndex);
	const source = sourceOf(context, itemIndex);
	if (source === '')
		throw wrongField(
			'Source',
			'is empty',
			'Give what the document is known by, such as the path or the ID of its file.',
		);
	const isText = parameters.choice<'file' | 'text'>('contentType') === 'text';
	const given = parameters.name('options.hash');
	const named = parameters.name('name');
	const datasetId = datasetIdIn(parameters);
	if (isText) {
		const text = parameters.freeText('text');
		const content = async (name: string) => ({ name, text });
		return { datasetId, item: { itemIndex, source, name: named || source, hash: given || sha256(text), content } };
	}
	const file = await binarySource(context, itemIndex, parameters.name('binaryPropertyName'));
	const content = async (name: string) => ({ file: { ...file, name } });
	const hash = given || (await hashOf(file.open()));
	return { datasetId, item: { itemIndex, source, name: named || file.name, hash, content } };
}

/** The sync of one base. */
class Sync {
	private readonly parameters: NodeParameters;
	private readonly bySource: Map<string, Item>;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly api: KnowledgeApi,
		private readonly datasetId: string,
		private readonly items: Item[],
		private readonly hint: (message: string) => void,
	) {
		this.parameters = parametersOf(context, items[0]!.itemIndex);
		this.bySource = new Map(items.map((item) => [item.source, item]));
	}

	async run(isComplete: boolean): Promise<INodeExecutionData[]> {
		const { parameters, context, api } = this;
		checkSources(this.items);
		const signal = context.getExecutionCancelSignal();
		const rules: SyncRules = {
			whenGone: parameters.choice<GoneAction>('options.whenGone', 'disable'),
			mostGonePercent: parameters.number('options.mostGone', 20),
			isComplete,
		};
		const steps = planSync(this.items, await documentsForSync(api, this.datasetId, signal), rules);
		if (parameters.flag('dryRun')) return steps.map((step) => this.shown(step, plannedOutcome(step), true));
		const run: SyncRun = {
			content: async (source, name) => await this.bySource.get(source)!.content(name),
			create: { ...createOptionsIn(parameters), mostMegabytes: parameters.number('options.maxFileSize', undefined) },
			waitMs: Math.max(1000, parameters.milliseconds('options.wait', 300_000)),
			signal,
		};
		const results: INodeExecutionData[] = [];
		for (const step of steps) results.push(await this.done(step, run));
		return results;
	}

	private async done(step: SyncStep, run: SyncRun): Promise<INodeExecutionData> {
		const outcome = await runStep(this.api, this.datasetId, step, run).then(
			(value) => ({ value }),
			(error: unknown) => ({ error }),
		);
		if ('value' in outcome) return this.shown(step, outcome.value, false);
		const itemIndex = this.itemIndexOf(step);
		if (!this.context.continueOnFail() || run.signal?.aborted === true)
			throw difyNodeError(this.context.getNode(), outcome.error, itemIndex);
		const item = errorItem(this.context.getNode(), outcome.error, itemIndex);
		return { ...item, json: { action: 'failed', source: step.source, ...item.json } };
	}

	private shown(step: SyncStep, { remarks, ...outcome }: SyncOutcome, dryRun: boolean): INodeExecutionData {
		remarks.forEach(this.hint);
		const json = {
			...outcome,
			datasetId: this.datasetId,
			...(remarks.length === 0 ? {} : { warnings: remarks }),
			...(dryRun ? { dryRun } : {}),
		};
		return { json: json as IDataObject, pairedItem: { item: this.itemIndexOf(step) } };
	}

	/** A document whose source is gone belongs to no item. */
	private itemIndexOf({ source }: SyncStep): number {
		return (this.bySource.get(source) ?? this.items[0]!).itemIndex;
	}
}
