import { invalidParam } from '../errors/failure';

/** Dify would store an empty question. @throws {ServerError} */
export function checkQuestion(question: string): void {
	checkText('Question', question);
}

/** Dify would store an empty answer. @throws {ServerError} */
export function checkAnswer(answer: string): void {
	checkText('Answer', answer);
}

function checkText(label: string, text: string): void {
	if (text.trim() === '')
		throw invalidParam(
			`The field "${label}" is empty`,
			'An annotation needs a question and an answer.',
		);
}
