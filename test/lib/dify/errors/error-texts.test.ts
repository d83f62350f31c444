/** Every pattern of error texts against every recorded text: a wider pattern must not hide a narrower one. */
import { DIFY_TEXTS } from '../../../../lib/dify/errors/error-codes';
import { describeRunError } from '../../../../lib/dify/errors/classify';
import { parseJson } from '../../../../lib/json';
import { isRecord, text as textOf } from '../../../../lib/values';
import { recordedAnswer, recordedCases, RECORDED_VERSIONS } from '../../../support/dify-recordings';
import { httpFixture, sseData } from '../../../support/streams';

/** Kinds of patterns that overlap, the narrower before the wider. */
const NARROWER_FIRST: ReadonlySet<string> = new Set([
	'inputs before emptyQuery',
	'invalidId before invalidParam',
]);

function textsIn(value: unknown, found: Set<string>): void {
	if (Array.isArray(value)) for (const each of value) textsIn(each, found);
	if (!isRecord(value)) return;
	for (const [name, each] of Object.entries(value)) {
		const written = textOf(each);
		if (written === undefined) textsIn(each, found);
		else if (['message', 'error', 'detail'].includes(name)) found.add(written);
	}
}

function textsOf(body: Buffer): Set<string> {
	const found = new Set<string>();
	const whole = parseJson(body.toString('utf8'));
	if (whole !== undefined) textsIn(whole, found);
	else for (const data of sseData(body)) textsIn(parseJson(data), found);
	return found;
}

const recorded = new Set<string>(textsOf(httpFixture('dify-1.16.1/wf-missing-query.01.http').body));
for (const version of RECORDED_VERSIONS)
	for (const { name } of recordedCases(version))
		for (const written of textsOf(recordedAnswer(version, name).body)) recorded.add(written);

test('no recorded text is hidden from its own pattern by one that stands before', () => {
	const hidden = [...recorded].flatMap((written) => {
		const [winner, ...others] = DIFY_TEXTS.filter(([pattern]) => pattern.test(written));
		return others
			.filter(([, kind]) => kind !== winner![1])
			.filter(([, kind]) => !NARROWER_FIRST.has(`${winner![1]} before ${kind}`))
			.map(([pattern]) => [written.slice(0, 100), String(winner![0]), String(pattern)]);
	});
	expect(recorded.size).toBeGreaterThan(100);
	expect(hidden).toEqual([]);
});

test('a field of the form that is called "query" is an input error', () => {
	const message = 'query is required in input form';
	expect(describeRunError({ cause: 'refused', message }).kind).toBe('inputs');
	expect(describeRunError({ cause: 'errorEvent', message: 'query is required' }).kind).toBe(
		'emptyQuery',
	);
});
