import { describeError } from '../../../lib/errors/describe-error';
import { ServerError } from '../../../lib/errors/server-error';

describe('describeError', () => {
	const failed = new ServerError({
		type: 'connectionLost',
		title: 'It broke',
		detail: 'It broke in the middle',
		suggestion: 'Mend it.',
		url: 'http://me:pass@10.0.0.5:8080/v1/chat/completions?user=anna#x',
		serverText: 'boom',
	});

	test('contains detail, server message, suggestion and URL, in this order', () => {
		expect(describeError(failed)).toBe(
			'It broke in the middle. Server message: "boom". Mend it. URL: http://10.0.0.5:8080/v1/chat/completions',
		);
	});

	test('missing parts leave no gap, and nothing is repeated', () => {
		const of = (title: string, serverText?: string) =>
			describeError(
				new ServerError({ type: 'badRequest', title, suggestion: 'Mend it.', serverText }),
			);
		expect(of('No')).toBe('No. Mend it.');
		expect(of('It ended.')).toBe('It ended. Mend it.');
		expect(of('Field n is wrong', 'Field n is wrong')).toBe('Field n is wrong. Mend it.');
		expect(
			describeError(new ServerError({ type: 'badRequest', title: 'No', suggestion: '' })),
		).toBe('No.');
	});

	test('a long server message is shortened', () => {
		const long = new ServerError({
			type: 'badRequest',
			title: 'No',
			suggestion: 'Mend it.',
			serverText: 'x'.repeat(900),
		});
		expect(describeError(long)).toBe(`No. Server message: "${'x'.repeat(499)}…". Mend it.`);
	});
});
