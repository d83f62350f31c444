import { parseMetrics } from '../../../lib/servers/metrics';
import { httpFixture } from '../../support/servers/streams';

describe('metrics', () => {
	test('llama-server: its own metrics', () => {
		const values = parseMetrics(
			httpFixture('llama-server-v0.5.0/metrics.http').body.toString('utf8'),
		);
		expect(values).toMatchObject({
			'llamacpp:requests_processing': 0,
			'llamacpp:requests_deferred': 0,
		});
	});

	test('vLLM: values of one metric are added up; comments and invalid numbers are skipped', () => {
		const text = [
			'# HELP vllm:num_requests_running Number of requests',
			'vllm:num_requests_running{model_name="a"} 2.0',
			'vllm:num_requests_running{model_name="b"} 1e0',
			'vllm:odd NaN',
			'vllm:negative -3',
			' indented 5',
		].join('\n');
		expect(parseMetrics(text)).toEqual({ 'vllm:num_requests_running': 3, 'vllm:negative': -3 });
	});
});
