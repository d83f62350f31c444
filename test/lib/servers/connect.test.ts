import { addressOf, connectTo } from '../../../lib/servers/connect';
import { BaseUrlError } from '../../../lib/servers/base-url';
import { ServerError } from '../../../lib/errors/server-error';
import { startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

describe('the connection to a server', () => {
	it('goes to the API below what was typed, with the settings', async () => {
		const sim = await startServer({ apiKey: 'needed' });
		const connection = connectTo({
			baseUrl: ` ${sim.url}/ `,
			headers: { authorization: 'Bearer needed' },
		});
		expect(connection.url).toMatchObject({ api: `${sim.url}/v1`, root: sim.url });
		expect(await connection.call(`${connection.url.api}/models`)).toMatchObject({ status: 200 });
	});

	it.each(['', 'ftp://host', 'http://', 'http://host:99999'])(
		'%j is an error before anything is sent',
		(baseUrl) => {
			expect(() => connectTo({ baseUrl })).toThrow(ServerError);
			expect(() => connectTo({ baseUrl })).toThrow(
				expect.objectContaining({ kind: 'invalidUrl' }) as Error,
			);
		},
	);

	it("the resolver's refusal is the error's message, with the part that is wrong", () => {
		const refuse = () => {
			throw new BaseUrlError('port', 'The port is too large');
		};
		expect(() => addressOf(refuse)).toThrow(
			expect.objectContaining({
				kind: 'invalidUrl',
				message: 'The port is too large',
				facts: { part: 'port' },
			}) as Error,
		);
		const crash = () => {
			throw new TypeError('x is undefined');
		};
		expect(() => addressOf(crash)).toThrow(
			expect.objectContaining({ kind: 'invalidUrl' }) as Error,
		);
		expect(() => addressOf(crash)).not.toThrow('x is undefined');
		expect(addressOf(() => 7)).toBe(7);
	});
});
