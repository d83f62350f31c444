import { createJsonError } from '../../../../lib/chat/check/validate-json';
import { describeError } from '../../../../lib/errors/describe-error';

it('the error of a response that is not the requested JSON names its details once', () => {
	const result = { text: 'Hi', reasoning: '', finishReason: 'stop', usage: undefined };
	const mismatch = { issues: ['not valid JSON'], isCutOff: false };
	const error = createJsonError(result as never, {}, mismatch as never);
	expect(describeError(error).match(/The details contain [^.]+\./g)).toEqual([
		'The details contain the text received so far.',
	]);
});
