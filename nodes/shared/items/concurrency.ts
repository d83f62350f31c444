/** How the items of a node run: streaming into a chat, and how many at the same time. */
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import type { FieldTable, NumberField, SwitchField } from '../../../lib/fields/field';
import type { ItemSource } from '../fields/item-source';
import { optionsField } from '../fields/options-field';
import { readValues } from '../fields/read-values';
import { shouldStreamToChat } from '../../../lib/n8n/chat-stream';
import type { Operation, OperationDescription } from './operation';

/** For operations that can stream their text to a chat. */
export const streamingField = {
	kind: 'switch',
	label: 'Enable Streaming',
	default: true,
	description:
		'Whether to stream the text to the chat if the trigger of the workflow responds with streaming. Items are then processed one after another.',
} as const satisfies SwitchField;

/** For operations that process each item alone. */
export const maxConcurrentItemsField = {
	kind: 'number',
	label: 'Max Concurrent Items',
	default: 4,
	range: [1, 64],
	isInteger: true,
	description:
		'How many items to process at the same time; use the number of server slots. The item order is preserved. Expressions are evaluated for the first item only.',
} as const satisfies NumberField;

/** How the items of an operation run. */
interface Concurrency {
	/** Whether the text is streamed into a chat, if there is one. */
	streams: boolean;
	maxConcurrentItems: number;
}

/** The options that decide, of which an operation may have none. */
const CONCURRENCY_FIELDS = {
	options: optionsField({
		enableStreaming: streamingField,
		maxConcurrentItems: maxConcurrentItemsField,
	}),
} as const satisfies FieldTable;

/** Streaming and concurrency of an operation, by its options. Defaults: no streaming, one item at a time. */
export function readConcurrency(source: ItemSource, { fields }: OperationDescription): Concurrency {
	const canStream = findOption(fields, 'enableStreaming') !== undefined;
	const concurrencyOption = findOption(fields, 'maxConcurrentItems');
	// Without these options, no other one is read: its expression may fail.
	const values = readValues(source, CONCURRENCY_FIELDS);
	return {
		streams: canStream && (values.options.enableStreaming ?? true),
		maxConcurrentItems:
			concurrencyOption === undefined
				? 1
				: (values.options.maxConcurrentItems ?? Number(concurrencyOption.default ?? 1)),
	};
}

function findOption(
	fields: readonly INodeProperties[],
	name: keyof typeof CONCURRENCY_FIELDS.options.fields,
) {
	const { options = [] } = fields.find((field) => field.name === 'options') ?? {};
	return (options as INodeProperties[]).find((option) => option.name === name);
}

/** What is known of an item before it runs. */
export interface ItemOperations {
	sourceOf(itemIndex: number): ItemSource;
	/** @throws a `ServerError` if an expression names an operation that does not exist. */
	getOperation(itemIndex: number): Operation<never>;
}

/** How all items of a node run. */
interface RunPlan {
	/** Whether texts are streamed into the chat that waits for this execution. */
	streamsToChat: boolean;
	/** Items processed at the same time. */
	concurrency: number;
}

/**
 * Streaming and concurrency for all items, from the options of the first. An unreadable value is reported when that
 * item is processed.
 */
export function planRun(
	context: IExecuteFunctions,
	{ sourceOf, getOperation }: ItemOperations,
): RunPlan {
	let isChat = false;
	try {
		const operation = getOperation(0);
		isChat =
			findOption(operation.fields, 'enableStreaming') !== undefined && shouldStreamToChat(context);
		const { streams, maxConcurrentItems } = readConcurrency(sourceOf(0), operation);
		const streamsToChat = streams && isChat;
		// The chat shows all chunks of a node in one message: concurrent responses would be mixed.
		return { streamsToChat, concurrency: streamsToChat ? 1 : maxConcurrentItems };
	} catch {
		return { streamsToChat: isChat, concurrency: 1 };
	}
}
