import {
	CompletionAccumulator,
	createCompletionError,
} from '../../../lib/chat/completion-accumulator';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { createServerError } from '../../../lib/errors/server-error';

const CONTEXT = { url: 'http://host:1/v1/chat/completions', root: 'http://host:1', model: 'm' };

/** The error of a line between the events. */
function errorOfLine(line: string) {
	const { completion } = new CompletionAccumulator().end([line]);
	return createCompletionError(completion.failure!, CONTEXT);
}

/** The error of an event after a first text, with the same body as an error response. */
function errorOfEvent(body: string) {
	const accumulator = new CompletionAccumulator();
	accumulator.push(JSON.stringify({ choices: [{ delta: { content: 'Hi' } }] }));
	accumulator.push(body);
	return createCompletionError(accumulator.end().completion.failure!, CONTEXT);
}

test.each([
	['{"error":{"message":"too long","n_prompt_tokens":9000,"n_ctx":8192}}', 400],
	['{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}', 400],
	['{"error":{"message":"llama runner process has terminated: exit status 2"}}', 500],
	['{"error":{"message":"Loading model","code":503}}', 503],
	['{"error":{"message":"CUDA out of memory","code":500}}', 500],
])('an error event has the title, type and numbers of an error response: %s', (body, status) => {
	const expected = classifyErrorResponse({ status, body }, CONTEXT);
	const { type, message, facts } = errorOfEvent(body);
	expect({ type, message }).toEqual({ type: expected.type, message: expected.message });
	expect(facts).toMatchObject(JSON.parse(JSON.stringify(expected.facts)) as object);
});

test.each([
	'{"error":{"message":"too long","n_prompt_tokens":9000,"n_ctx":8192}}',
	'{"error":"boom"}',
])('an error between the events has the title and numbers of an event: %s', (body) => {
	const { type, message, facts } = errorOfEvent(body);
	expect(errorOfLine(body)).toMatchObject({ type, message, facts });
});

test.each([
	['{"error":{"message":"The tenant is closed.","code":504}}', 'The tenant is closed'],
	['{"error":"Backend melted"}', 'Backend melted'],
])('an unknown error event is quoted: %s', (body, title) => {
	expect(errorOfEvent(body)).toMatchObject({ type: 'streamError', message: title });
});

test.each([
	[{ isThinkingOff: true }, 'reasoning parser'],
	[{ hasModelEnded: true }, 'turn thinking off'],
	[{ maxTokens: 20 }, 'now 20'],
])('only thinking: advice that can be followed: %j', (about, expected) => {
	const { suggestion } = createServerError('onlyThinking', {}, { about });
	expect(suggestion).toContain(expected);
	expect(suggestion.includes('turn thinking off')).toBe(!('isThinkingOff' in about));
});
