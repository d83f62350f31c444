/** A sub-node of n8n, which supplies an object to its root node. */
import type { INode, NodeOperationError, SupplyData } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { SubNodeError, toNodeError, withToolTitle } from '../../../lib/errors/node-error';
import type { Priority } from '../../../lib/http/queue';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { FieldTable, Values } from '../../../lib/fields/field';
import { ItemSource } from '../fields/item-source';
import { readValues } from '../fields/read-values';
import { getProperties } from '../fields/to-properties';
import { assertNoFixedExpression } from '../../../lib/n8n/fixed-expressions';
import { watchLoading } from './watch-loading';
import { toShownError } from '../../../lib/n8n/shown-error';
import type { Execution } from '../../../lib/n8n/visitor-message';
import type { SubNodePlace } from '../../../lib/n8n/sub-node-log';
import { SubNodeLog } from '../../../lib/n8n/sub-node-log';
import { formatDuration } from '../../../lib/values/duration';
import { readPriority } from '../fields/request-options';

/**
 * Supplies an object of a sub-node.
 *
 * @throws {SubNodeError} with the whole text, which n8n passes to the root node; the sub-node's log contains it, too
 */
export async function supplySubNode(
	place: SubNodePlace,
	build: (subNode: SubNode) => Promise<SupplyData>,
): Promise<SupplyData> {
	const subNode = new SubNode(place);
	return await build(subNode).catch((error: unknown) => {
		const nodeError = subNode.toError(error);
		// The editor marks the sub-node and shows why.
		subNode.log.add(nodeError);
		throw new SubNodeError(place.context.getNode(), nodeError);
	});
}

/** The server of a sub-node, and the values of its fields. */
export interface OpenSubNode<T extends FieldTable> {
	values: Values<T>;
	server: ModelServer;
	/** Priority in the queue. */
	priority: Priority;
}

/**
 * Whether the root node of a sub-node is a tool of an agent: n8n gives the title of its error to the agent's model. A vector
 * store is one by its mode.
 */
function isPassedToModel(rootNode: INode | undefined): boolean {
	return isToolType(rootNode?.type) || rootNode?.parameters?.mode === 'retrieve-as-tool';
}

/** A sub-node that is being supplied, or whose object is in use. */
export class SubNode {
	readonly log: SubNodeLog;

	constructor(private readonly place: SubNodePlace) {
		this.log = new SubNodeLog(place, (error) => this.toError(error));
	}

	/** What n8n gives to the sub-node. */
	get context(): SubNodePlace['context'] {
		return this.place.context;
	}

	/** Of the item that the root node processes. */
	get itemIndex(): number {
		return this.place.itemIndex;
	}

	/** Aborts when the execution is stopped. */
	get signal(): AbortSignal | undefined {
		return this.log.signal;
	}

	/**
	 * Opens the model server of the node, and its fields. A model that loads for long is a separate entry in
	 * the log, which n8n shows as running until the model is loaded.
	 */
	async open<T extends FieldTable>(fields: T): Promise<OpenSubNode<T>> {
		const { context, itemIndex } = this.place;
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const source = new ItemSource(context, itemIndex);
		const values = this.readValues(fields, source);
		const status = 'The model is still loading. The request is sent when it is loaded.';
		const server = watchLoading(context, createModelServer(credentials, context), () => {
			const end = this.log.begin({ status });
			return (waitedMs, error) =>
				end(
					error === undefined
						? { status: `The model was loaded after ${formatDuration(waitedMs)}.` }
						: this.toError(error),
				);
		});
		return { values, server, priority: readPriority(context, source) };
	}

	/**
	 * The values of its item. No field of a sub-node is a text about n8n, so an expression in fixed text is a mistake in
	 * each of them.
	 *
	 * @throws {ServerError} for such a field
	 */
	readValues<T extends FieldTable>(
		fields: T,
		source: ItemSource = new ItemSource(this.place.context, this.place.itemIndex),
	): Values<T> {
		const properties = getProperties(fields);
		const written = { properties, stored: this.context.getNode().parameters };
		assertNoFixedExpression(written, Object.keys(fields));
		return readValues(source, fields);
	}

	/** The error as n8n shows it, naming the sub-node. */
	toError(error: unknown): NodeOperationError {
		const { context } = this.place;
		const nodeError = toShownError(context, toNodeError(context.getNode(), error), error);
		const { parentNode }: Execution = context;
		return isPassedToModel(parentNode) ? withToolTitle(nodeError, error) : nodeError;
	}
}
