/** The files that a person gave to the trigger of an execution. */
import type {
	IExecuteFunctions,
	INodeExecutionData,
	ISupplyDataFunctions,
	NodeTypeAndVersion,
} from 'n8n-workflow';
import { isToolType, NodeConnectionTypes } from 'n8n-workflow';
import { asArray, asNonEmptyString, asRecord, isUnset } from '../values/records';
import { tryOrUndefined } from '../values/try-or-undefined';
import { getStartingChatTrigger } from './chat-trigger';

/** The context of a node that processes items, or of a sub-node. */
export type TriggerFilesContext = IExecuteFunctions | ISupplyDataFunctions;

/** A file of an item that came with the trigger. */
export interface TriggerFile {
	/** Its binary field. */
	property: string;
	/** The name of its field if it has none. */
	name: string;
	mimeType: string;
	/** Whether it is part of a message. Otherwise a form or a webhook received it. */
	isOfChat: boolean;
}

/** Nodes that receive files of a person, besides chats. A mail, a folder or a download is chosen by nobody at that moment. */
const RECEIVERS: ReadonlySet<string> = new Set([
	'n8n-nodes-base.form',
	'n8n-nodes-base.formTrigger',
	'n8n-nodes-base.webhook',
]);

/** The files of items that came with the trigger, in their order. */
export class TriggerFiles {
	private received: ReadonlySet<string> | undefined;

	/** @param nodeName of the node that gets the items: for a sub-node, its root node */
	constructor(
		private readonly context: TriggerFilesContext,
		private readonly nodeName: string = context.getNode().name,
	) {}

	/** Of an agent's tool, none: the agent passes words only. */
	ofItem(itemIndex: number): TriggerFile[] {
		const { json = {}, binary = {} } = this.getItems()[itemIndex] ?? {};
		const entries = Object.entries(binary);
		if (entries.length === 0 || isToolType(this.context.getNode().type)) return [];
		const isOfChat = isChatMessage(this.context, json);
		const isGiven = isOfChat ? isListed(json) : this.isReceived();
		return entries
			.filter(([property, { fileName }]) => isGiven(property, fileName))
			.map(([property, { fileName, mimeType }]) => ({
				property,
				name: fileName?.trim() ? fileName : property,
				mimeType,
				isOfChat,
			}));
	}

	private getItems(): INodeExecutionData[] {
		// Without the type, a sub-node gets what is connected to itself.
		return tryOrUndefined(() => this.context.getInputData(0, NodeConnectionTypes.Main)) ?? [];
	}

	/** Whether a form or a webhook received the file: another node may have replaced it, or have made it. */
	private isReceived() {
		this.received ??= new Set(this.getReceivers().flatMap((name) => this.readReceived(name)));
		const { received } = this;
		return (property: string, fileName?: string) => received.has(toKey([property, fileName]));
	}

	private getReceivers(): string[] {
		const parents: NodeTypeAndVersion[] =
			tryOrUndefined(() => this.context.getParentNodes(this.nodeName)) ?? [];
		return parents.filter(({ type }) => RECEIVERS.has(type)).map(({ name }) => name);
	}

	/** Fails for a node that was not executed. */
	private readReceived(name: string): string[] {
		const expression = `{{ $(${JSON.stringify(name)}).all().map((item) => Object.keys(item.binary ?? {}).map((field) => [field, item.binary[field].fileName])) }}`;
		const lists = tryOrUndefined(() => this.context.evaluateExpression(expression, 0));
		return asArray(lists).flatMap((list) => asArray(list).map((entry) => toKey(asArray(entry))));
	}
}

/** Name of the field and of the file. */
function toKey([property, fileName]: readonly unknown[]): string {
	return JSON.stringify([property, fileName ?? null]);
}

/** The Chat Trigger lists its files. A node between may have added others, or removed the list. */
function isListed(json: INodeExecutionData['json']) {
	const listed = asArray(json.files).map((file) => asNonEmptyString(asRecord(file).binaryKey));
	const isEmpty = listed.every((name) => name === undefined);
	return (property: string) => isEmpty || listed.includes(property);
}

/**
 * Whether an item is a message of a chat: n8n's chats send a session and an action, and a node between may have kept only
 * the session. An agent's tool gets the agent's words instead.
 */
export function isChatMessage(
	context: TriggerFilesContext,
	{ sessionId, action }: INodeExecutionData['json'],
): boolean {
	if (isUnset(sessionId) || isToolType(context.getNode().type)) return false;
	return action === 'sendMessage' || getStartingChatTrigger(context) !== undefined;
}
