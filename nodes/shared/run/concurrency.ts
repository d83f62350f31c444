/** How the items of a node run: streaming into a chat, and how many at the same time. */
import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { NodeParameters } from '../parameters';
import { shouldStreamToChat } from './chat-stream';
import type { Operation } from './operation';

/** How the items of an operation run. */
interface Concurrency {
	/** Whether the text is streamed into a chat, if there is one. */
	streams: boolean;
	maxConcurrentItems: number;
}

/** Streaming and concurrency of an operation, by its options. Defaults: no streaming, one item at a time. */
export function readConcurrency(parameters: NodeParameters): Concurrency {
	const { properties } = parameters;
	const canStream = findOption(properties, 'enableStreaming') !== undefined;
	const option = findOption(properties, 'maxConcurrentItems');
	return {
		streams: canStream && parameters.boolean('options.enableStreaming', true),
		// Without the option, no other one is read: its expression may fail.
		maxConcurrentItems:
			option === undefined
				? 1
				: parameters.number('options.maxConcurrentItems', Number(option.default ?? 1)),
	};
}

function findOption(fields: readonly INodeProperties[], name: string) {
	const { options = [] } = fields.find((field) => field.name === 'options') ?? {};
	return (options as INodeProperties[]).find((option) => option.name === name);
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
	getOperation: (itemIndex: number) => Operation<never>,
): RunPlan {
	let isChat = false;
	try {
		const { fields } = getOperation(0);
		isChat = findOption(fields, 'enableStreaming') !== undefined && shouldStreamToChat(context);
		const { streams, maxConcurrentItems } = readConcurrency(new NodeParameters(context, 0, fields));
		const streamsToChat = streams && isChat;
		// The chat shows all chunks of a node in one message: concurrent responses would be mixed.
		return { streamsToChat, concurrency: streamsToChat ? 1 : maxConcurrentItems };
	} catch {
		return { streamsToChat: isChat, concurrency: 1 };
	}
}
