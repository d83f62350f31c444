import { isToolType, type INodeProperties } from 'n8n-workflow';

import { createInputError } from '../../../lib/errors/create-error';
import type { PullProgress } from '../../../lib/servers/types/server-type';
import { booleanField, resourceLocatorField, numberField } from '../../shared/field-builders';
import type { ChatStream } from '../../shared/run/chat-stream';
import type { LlamaCall } from '../operation';

/** Model that an operation acts on. */
export const targetModelField = resourceLocatorField(
	'Model',
	'model',
	'searchAllModels',
	{ displayName: 'By Name', placeholder: 'e.g. qwen3-8b' },
	{ required: true },
);

export const allowChangesField = booleanField('Allow Changes to the Server', 'allowChanges', true, {
	description:
		'Whether this node may change the models on the server disk. On if not set, but off when an agent uses the node as a tool.',
});

/**
 * Checks the option that allows changes, before anything is sent.
 *
 * @throws {ServerError} `invalidInput`
 */
export function assertChangesAllowed({ context, parameters }: LlamaCall): void {
	if (parameters.boolean('options.allowChanges', !isToolType(context.getNode().type))) return;
	throw createInputError(
		'Changes to the server are not allowed in this node',
		'Turn on the option Allow Changes to the Server. Be careful if an agent uses the node: a deleted model cannot be restored.',
	);
}

export const waitField = (description: string): INodeProperties =>
	booleanField('Wait Until Done', 'wait', true, { description });

export const idleTimeoutField = numberField('Idle Timeout (Seconds)', 'idleTimeout', 300, {
	typeOptions: { minValue: 0 },
	description: 'How long to wait without progress on the server. 0 = no limit.',
});

const DEFAULT_IDLE_TIMEOUT_MS = 300_000;

export function readIdleTimeoutMs({ parameters }: LlamaCall): number {
	return parameters.milliseconds('options.idleTimeout', DEFAULT_IDLE_TIMEOUT_MS);
}

const MIN_PAUSE_MS = 500;

/** Streams progress to the chat, at most twice per second: the step, and the percentage of each layer. */
export function createProgressReporter(
	{ typing }: { typing: Pick<ChatStream, 'write'> | undefined },
	now: () => number = () => performance.now(),
): (progress: PullProgress) => Promise<void> {
	let lastAt = -Infinity;
	let lastLine = '';
	return async (progress) => {
		const line = formatProgress(progress);
		const isNew = line !== lastLine;
		// Very short steps are skipped, except for the last one.
		if (!isNew || (now() - lastAt < MIN_PAUSE_MS && progress.status !== 'success')) return;
		lastAt = now();
		lastLine = line;
		await typing?.write(`${line}\n`);
	};
}

function formatProgress({ status, total, completed = 0 }: PullProgress): string {
	return total === undefined || total <= 0
		? status
		: `${status}: ${Math.floor((completed / total) * 100)} %`;
}
