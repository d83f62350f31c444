import { findBatchLimit } from '../../../lib/errors/batch-limit';

test.each([
	{ server: 'TEI', message: 'batch size 64 > maximum allowed batch size 32', max: 32 },
	{
		server: 'SiliconFlow',
		message: 'input batch size 33 > maximum allowed batch size 32',
		max: 32,
	},
	{
		server: 'DashScope',
		message: 'Value error, batch size is invalid, it should not be larger than 10.: input.contents',
		max: 10,
	},
	{ server: 'Infinity', message: 'Batch size 5000 exceeds the limit of 2048', max: 2048 },
	{
		server: 'Cohere',
		message: 'too many texts: total number of texts must be at most 96',
		max: 96,
	},
	{
		server: 'Mistral',
		message: 'Too many inputs in request, split into more batches.',
		max: undefined,
	},
	{ server: 'Zhipu', message: 'input数组最大不得超过64条', max: 64 },
	{ server: 'FastAPI', message: 'max_batch_size: maximum batch size is 16', max: 16 },
	{ server: 'a gateway', message: 'The number of documents exceeds the maximum of 100', max: 100 },
	{ server: 'a gateway', message: 'The batch is too large', max: undefined },
])('the size of a batch of $server: $message', ({ message, max }) => {
	expect({ message, limit: findBatchLimit(message) }).toEqual({ message, limit: { max } });
});

test.each([
	{ message: 'input is too large to process. increase the physical batch size' },
	{ message: 'This model has a maximum context length of 512 tokens' },
	{ message: 'too many requests, limit 5' },
])('is about something else: $message', ({ message }) => {
	expect([message, findBatchLimit(message)]).toEqual([message, undefined]);
});
