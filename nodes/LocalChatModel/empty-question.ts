/** A question without words, which a model would answer with something invented. */
import type { INode } from 'n8n-workflow';
import type { InputMessage } from '../../lib/chat/input-message';
import { createInputError } from '../../lib/errors/create-error';
import { asRecord, asString } from '../../lib/values/records';

/**
 * Checks the message that is to be answered.
 *
 * @param rootNode undefined if n8n does not say which node uses the model
 * @throws {ServerError} of type `invalidInput` if it is from the user and has neither words nor files
 */
export function assertQuestion(
	messages: readonly InputMessage[],
	rootNode: INode | undefined,
): void {
	const last = messages.at(-1);
	if (last?.type !== 'human' || !isBlank(last)) return;
	const owner = rootNode === undefined ? 'the node that uses this model' : `"${rootNode.name}"`;
	throw createInputError(
		'The question is empty',
		`Fill in the prompt of ${owner}, or correct its expression. In a tool of an agent, let the model fill it in: the button with the stars beside the field.`,
	);
}

function isBlank({ content, files = [] }: InputMessage): boolean {
	return (
		files.length === 0 &&
		content.every(({ block }) => {
			const { type, text } = asRecord(block);
			const words = asString(block) ?? (type === 'text' ? asString(text) : undefined);
			return words !== undefined && words.trim() === '';
		})
	);
}
