/** The file beside this one is made from there. */
export * from '../../lib/servers/base-url';
