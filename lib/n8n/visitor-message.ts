/**
 * What visitors of a chat may read of an error: one sentence. A visitor is whoever talks through a Chat Trigger or through
 * n8n's Chat page, in every response mode. Everything else is for the owner, in the execution.
 *
 * What n8n 2.41 shows to them, so none of it may contain more:
 *
 * - The `description` of the error of a node: streamed (n8n-core, workflow-execute.ts), and stored as the message of the
 *   Chat page in its other response modes (chat-hub-execution.service.ts). That of a sub-workflow is also that of its
 *   caller.
 * - The item of the last node (response mode `lastNode`): the Chat page shows `output`, `text` or `message`, a public
 *   chat the whole item if it has none of them. An agent that continues on errors writes the `message` of the error into
 *   its item.
 */
import type {
	IExecutionContext,
	INode,
	NodeOperationError,
	WorkflowExecuteMode,
} from 'n8n-workflow';
import { CHAT_TRIGGER_NODE_TYPE } from 'n8n-workflow';
import { isToolNode } from '../errors/node-error';
import { asRecord } from '../values/records';
import type { ChatTriggerContext } from './chat-trigger';
import { getStartingChatTrigger } from './chat-trigger';

/** Context of an execution. */
export interface Execution extends ChatTriggerContext {
	getMode(): WorkflowExecuteMode;
	getExecutionId(): string;
	/** Missing in sub-nodes of n8n 2.20. */
	isStreaming?(): boolean;
	/** A sub-workflow has the trigger of the first workflow, which called it. */
	getExecutionContext?(): Pick<IExecutionContext, 'triggerNode'> | undefined;
	/** The node that uses a sub-node. n8n's types lack it, and it is missing in other nodes. */
	parentNode?: INode;
}

/** Modes whose result only somebody with access to the workflow sees. */
const OWNER_MODES = new Set<WorkflowExecuteMode>(['manual', 'retry', 'evaluation', 'cli']);

/**
 * The only sentence about an error that visitors of this execution may read; undefined if only the owner reads its
 * errors and its items.
 */
export function getVisitorMessage(context: Execution): string | undefined {
	return hasVisitors(context) ? createVisitorMessage(context) : undefined;
}

/**
 * Hides the details of an error if visitors could read them. The owner still reads all of them in the execution: the panel
 * of the node prefers the template to the description, and the details of the error contain the whole text.
 *
 * @param panelText for the owner: the description without the title
 * @returns whether visitors could read them
 */
export function hideDetailsFromVisitors(
	context: Execution,
	error: NodeOperationError,
	panelText: string | null | undefined,
): boolean {
	if (!hasVisitors(context)) return false;
	const { description } = error;
	const visitorMessage = createVisitorMessage(context);
	if (description === visitorMessage) return true;
	error.context.data = { ...asRecord(error.context.data), description };
	error.context.descriptionTemplate = panelText;
	error.description = visitorMessage;
	// That of a tool is for the model.
	if (!isToolNode(error.node) && isTitleShown(context)) {
		error.context.descriptionTemplate = description;
		error.message = visitorMessage;
	}
	return true;
}

function createVisitorMessage(context: Execution) {
	return `The response could not be generated. The owner of this chat can see the reason in n8n, execution ${context.getExecutionId()}.`;
}

function hasVisitors(context: Execution) {
	const mode = context.getMode();
	if (OWNER_MODES.has(mode)) return false;
	if (mode === 'integrated') return mayBeCalledByChat(context);
	const isStreaming = context.isStreaming?.() ?? mode === 'webhook';
	return mode === 'chat' || isStreaming || getStartingChatTrigger(context) !== undefined;
}

/** Whether a chat called this sub-workflow: not if n8n tells that another trigger started the first workflow. */
function mayBeCalledByChat(context: Execution) {
	const { type } = context.getExecutionContext?.()?.triggerNode ?? {};
	return type === undefined || type === CHAT_TRIGGER_NODE_TYPE;
}

/**
 * Whether n8n shows the title of the error as well: a node that continues on errors writes that of its sub-node into its
 * item, and a node that calls a workflow tells it to its own callers.
 */
function isTitleShown(context: Execution) {
	if (context.getMode() === 'integrated') return true;
	const { onError = 'stopWorkflow', continueOnFail = false } = context.parentNode ?? {};
	return continueOnFail || onError !== 'stopWorkflow';
}
