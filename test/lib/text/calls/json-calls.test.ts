/** JSON that states a call with a key twice says two things, wherever the key is: such a call does not run. */
import { parseJsonCall } from '../../../../lib/text/calls/json-calls';

const CALL = '"name": "f", "arguments": {"a": 1}';
const OTHERS: Record<string, string> = {
	'"name"': '"g"',
	'"arguments"': '{"a": 2}',
	'"id"': '"2"',
	'"type"': '"function"',
};
const FORMS: Record<string, string> = {
	'of a plain call': `{${CALL}, "id": "1", "type": "function"}`,
	"of OpenAI's format, inside": `{"type": "function", "id": "1", "function": {${CALL}}}`,
};

/** The form with each of its keys a second time. */
function* repeatKeys(form: string): Generator<{ key: string; json: string }> {
	for (const [key, value] of Object.entries(OTHERS)) {
		const at = form.indexOf(key);
		if (at < 0) continue;
		yield { key, json: `${form.slice(0, at)}${key}: ${value}, ${form.slice(at)}` };
	}
	yield { key: '"a"', json: form.replace('"a": 1', '"a": 1, "a": 2') };
}

const ROWS = Object.entries(FORMS).flatMap(([where, form]) =>
	[...repeatKeys(form)].map(({ key, json }) => ({ where, key, json })),
);

test.each(ROWS)('$key $where: $json', ({ json }) => {
	expect(parseJsonCall(json)?.problems).toContain('ambiguous');
});

test.each(Object.values(FORMS))('each key once: %s', (json) => {
	expect(parseJsonCall(json)).toEqual({ name: 'f', arguments: '{"a": 1}', problems: [] });
});
