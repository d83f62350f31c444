/** An operation of a node: its entry in the list, its fields, its call and its items. */
import type {
	IBinaryKeyData,
	IExecuteFunctions,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';
import type { ItemSource } from '../fields/item-source';
import type { ChatStream } from '../../../lib/n8n/chat-stream';
import type { ItemError } from './item-error';
import type { RunLosses } from '../../../lib/n8n/run-losses';
import type { TriggerFile } from '../../../lib/n8n/trigger-files';

/** Arguments of an operation, and `Access`: clients created from the credential of an item. */
export type OperationCall<Access extends object = object> = Access & {
	context: IExecuteFunctions;
	itemIndex: number;
	/** The items to process: one, or all that the operation processes together. */
	itemIndexes: readonly number[];
	/** The fields of the item, which any table of definitions reads. */
	source: ItemSource;
	/** As `source`, for another item. */
	sourceOf(itemIndex: number): ItemSource;
	accessOf(itemIndex: number): Promise<Access>;
	/** Aborts when the execution is stopped, or when another item has failed and the node with it. */
	signal: AbortSignal;
	/** The chat to stream the response into, if there is one. */
	chatStream: ChatStream | undefined;
	/** Shows a hint at the node, once per run. */
	hint(message: string): void;
	/** The files of the item that a person gave to the trigger. */
	getTriggerFiles(): readonly TriggerFile[];
	/** What the run does not pass on, told at its end. */
	losses: RunLosses;
};

/** An output item. An agent sees only the `json` of a tool, so it has everything that matters. */
export interface OperationItem {
	json: object;
	binary?: IBinaryKeyData;
	/** Indexes of its input items. Default: the processed ones. */
	from?: number | number[];
	/** Index of the output. Default: the first. */
	output?: number;
}

export type OperationResult = Array<OperationItem | ItemError>;

/** One operation of a node: its entry in the list, its fields, and its function. */
export interface Operation<Access extends object = object> extends OperationDescription {
	/**
	 * Names of optional fields with what the operation is about. An expression in their fixed text is an error, as in required
	 * fields. Default: none.
	 */
	mainFields?: readonly string[];
	/** Whether it runs once for all its items; a function decides by the first item that can be read. */
	runsOnceForAllItems?: true | ((source: ItemSource) => boolean);
	/** Items with the same key are processed one after another, in their order. */
	getSequenceKey?(source: ItemSource): string | undefined;
	execute(call: OperationCall<Access>): Promise<OperationItem | OperationResult>;
}

/** The entry of an operation or a resource in its list. */
export interface ListEntry extends INodePropertyOptions {
	value: string;
}

export interface OperationDescription extends ListEntry {
	/** Without the display condition for this operation, which is added. */
	fields: INodeProperties[];
}

/** One resource of a node: its entry in the list, and its operations. */
export interface NodeResource<O extends OperationDescription> extends ListEntry {
	operations: readonly O[];
	/** Value of the default operation. Default: the first. */
	defaultOperation?: string;
}
