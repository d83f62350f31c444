import type { IBinaryKeyData, IExecuteFunctions, INodePropertyOptions } from 'n8n-workflow';

import type { Usage } from '../../lib/chat/types';
import type { Connection } from '../../lib/http/connection';
import type { ServerPool } from '../../lib/servers/pool/server-pool';
import type { NodeOperation, NodeResource } from '../shared/run/operations';
import type { NodeParameters } from '../shared/parameters';

/** What an operation gets to do its work on one item. */
export interface LlamaCall {
	/** For binary data, and for the input items. */
	context: IExecuteFunctions;
	/** Of the item's credential; for requests that any of its servers may take. */
	servers: ServerPool;
	/** The server of the credential's Base URL; for what belongs to one server: its models, slots and adapters. */
	connection: Connection;
	/** With the fields of the operation. */
	parameters: NodeParameters;
	itemIndex: number;
	/** The same of another item, for operations that take all items together. */
	of(itemIndex: number): Promise<Pick<LlamaCall, 'servers' | 'connection' | 'parameters'>>;
	/** Aborts when the execution is stopped. */
	signal: AbortSignal;
	/** Types a piece of text into the chat, where the workflow streams into one; elsewhere nothing happens. */
	type(text: string): Promise<void>;
	/** A remark that stands at the node once, however many items give it. */
	hint(message: string): void;
	/** Adds tokens to what n8n shows as the usage of the node. */
	countTokens(usage: Pick<Usage, 'promptTokens' | 'completionTokens'>): void;
}

/**
 * One item that an operation gives. As a tool of an agent only the `json` is seen, so everything that matters stands in
 * it.
 */
export interface LlamaItem {
	json: object;
	binary?: IBinaryKeyData;
	/** The input items that it comes from. Default: the one that was worked on. */
	from?: number | number[];
}

/** What went wrong with one item, in an operation that takes all items together. */
export class ItemFailure extends Error {
	constructor(
		readonly itemIndex: number,
		readonly reason: unknown,
	) {
		super(reason instanceof Error ? reason.message : String(reason));
	}
}

/** @throws {ItemFailure} */
export function failItem(itemIndex: number, reason: unknown): never {
	throw new ItemFailure(itemIndex, reason);
}

export type LocalLlamaOperation = NodeOperation<LlamaCall, Array<LlamaItem | ItemFailure>>;

/** One resource: its place in the list, and its operations. */
export interface LocalLlamaResource extends NodeResource<LocalLlamaOperation> {
	option: INodePropertyOptions & { value: string };
	/** Its operations act on one server, that of the Base URL. Where the credential has several, the items name it. */
	isOfOneServer?: true;
}
