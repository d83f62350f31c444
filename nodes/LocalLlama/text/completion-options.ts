import type { INodeProperties } from 'n8n-workflow';

import {
	complete,
	type CompleteSettings,
	type FinishedCompletion,
} from '../../../lib/text/complete';
import { readToEnd } from '../../../lib/generators';
import type { CompleteTask } from '../../../lib/text/completion-request';
import { generationFields } from '../../shared/chat/generation-fields';
import { readGeneration } from '../../shared/chat/generation-settings';
import { GENERATION_RETRIES, readLimits } from '../../shared/limit-fields';
import { samplerFields } from '../../shared/chat/sampler-fields';
import type { NodeParameters } from '../../shared/parameters';
import type { OperationItem } from '../../shared/run/operations';
import type { LlamaCall } from '../operation';
import { streamingField } from '../options';
import { reportAnswer } from './answer';

/** Options of operations that continue a text without a chat template. */
export const completionOptions: INodeProperties[] = [
	...samplerFields.filter(({ name }) => name !== 'parallelToolCalls'),
	...generationFields,
	streamingField,
];

export function completeSettings(parameters: NodeParameters): CompleteSettings {
	return {
		model: parameters.name('model'),
		parameters: readGeneration(parameters),
		...readLimits(parameters, GENERATION_RETRIES),
	};
}

/** Generates a completion, streams it into the chat, and returns its item. */
export async function completed(
	call: LlamaCall,
	settings: CompleteSettings,
	task: CompleteTask,
): Promise<OperationItem> {
	const generation = complete(call.connection, settings, task, call.signal);
	// If the chat is gone, the generation is cancelled.
	return itemOf(call, await readToEnd(generation, async (piece) => await call.typing?.type(piece)));
}

function itemOf(
	call: LlamaCall,
	{ notes: serverNotes, ...completion }: FinishedCompletion,
): OperationItem {
	const notes = completion.text === '' ? ['The model wrote nothing.'] : [...serverNotes];
	if (completion.truncated === true)
		notes.push(
			'The server left out the beginning of the prompt, which is too long for its context.',
		);
	reportAnswer(call, { ...completion, notes });
	return { json: completion };
}
