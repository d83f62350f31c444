import { Explainer } from '../../../lib/http/explain';
import { Watchdog } from '../../../lib/http/limits';
import { BodyTooLongError } from '../../../lib/http/too-long';
import { resolveBaseUrl } from '../../../lib/servers/base-url';
import { connect } from './client';

const SAMPLE = 'local-key-1234567890';
const BEARER = { authorization: `Bearer ${SAMPLE}` };

describe('data that may be shown', () => {
	test('mask takes the key and the header values out of a text', () => {
		const connection = connect('gpu', { headers: { ...BEARER, 'x-tenant-key': 'tenant-key-77' } });
		expect(connection.mask(`${SAMPLE} Bearer ${SAMPLE} tenant-key-77`)).toBe('*** *** ***');
		expect(connection.contextOf('http://gpu/v1/models', { model: 'm' })).toMatchObject({
			url: 'http://gpu/v1/models',
			root: 'http://gpu',
			model: 'm',
		});
	});

	test('what the connection and the request are about stands in the context, the request first', () => {
		const explainer = new Explainer({
			address: resolveBaseUrl('http://gpu'),
			about: { service: 'dify', model: 'connection' },
		});
		expect(explainer.contextOf('http://gpu/v1')).toMatchObject({
			service: 'dify',
			model: 'connection',
		});
		expect(explainer.contextOf('http://gpu/v1', { model: 'request' })).toMatchObject({
			service: 'dify',
			model: 'request',
		});
	});
});

describe('what an error means', () => {
	const URL_ASKED = 'http://gpu:8080/v1/chat/completions';
	const explainer = (maxConcurrentRequests?: number) =>
		new Explainer({
			address: resolveBaseUrl('http://gpu:8080'),
			headers: BEARER,
			maxConcurrentRequests,
		});
	const quiet = () => new Watchdog({ firstTokenMs: 0, idleMs: 0 });
	const hit = () => Object.assign(quiet(), { hit: 'totalLimit' as const });

	test('Stop takes precedence over a limit, a limit over the error that it caused', () => {
		const broken = Object.assign(new Error('aborted'), { code: 'UND_ERR_ABORTED' });
		const signal = AbortSignal.abort();
		expect(explainer().explain(broken, URL_ASKED, { signal }, hit()).kind).toBe('aborted');
		expect(explainer().explain(broken, URL_ASKED, {}, hit()).kind).toBe('totalLimit');
		expect(explainer().explain(broken, URL_ASKED, {}, quiet(), true).kind).toBe('connectionLost');
		expect(
			explainer().explain(new BodyTooLongError('64 MB'), URL_ASKED, {}, quiet(), true).kind,
		).toBe('invalidAnswer');
	});

	test.each([
		[1, 'allows 1 request at once (Max Concurrent Requests), and others held the place'],
		[3, 'allows 3 requests at once (Max Concurrent Requests), and others held all places'],
	])('no free place, of %d', (limit, words) => {
		const failed = explainer(limit).queued(URL_ASKED, {}, hit());
		expect(failed).toMatchObject({ kind: 'totalLimit', facts: { queued: true } });
		expect(failed.remedy).toContain(words);
		expect(explainer(limit).queued(URL_ASKED, { signal: AbortSignal.abort() }, quiet()).kind).toBe(
			'aborted',
		);
	});

	test('the target of a redirect is shown as it was asked, without user and password', () => {
		for (const target of ['http://user:pw@gpu:8080', 'HTTP://GPU:8080', 'http://gpu:8080'])
			expect(explainer().shownUrl(`${target}/login?a=b#c`)).toBe('http://gpu:8080/login?a=b#c');
		expect(explainer().shownUrl('http://u@[::1]:80/')).toBe('http://[::1]/');
	});

	test('a key that is missing elsewhere was not sent there', () => {
		const answer = { status: 401, headers: {}, text: '', json: undefined };
		expect(explainer().refusal({ ...answer, url: 'http://other/v1/models' }).kind).toBe('redirect');
		expect(explainer().refusal({ ...answer, url: URL_ASKED }).kind).toBe('unauthorized');
		expect(explainer().isOwn('http://gpu:8081/')).toBe(false);
		expect(explainer().isOwn('http://gpu:8080/other')).toBe(true);
	});
});
