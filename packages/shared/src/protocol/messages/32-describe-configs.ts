// DescribeConfigs (API key 32), versions 1-4. Configs of topics (resource type 2), brokers (4), broker loggers (8),
// client metrics (16) and groups (32), with where each value comes from. Null keys ask for all of a resource.
//
//    1  source and synonyms of each value (KIP-226)
//    2  the quota is applied after the response is sent
//    3  type and documentation (KIP-569)
//    4  flexible

import { array, bool, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const describeConfigsRequest = request(
  32,
  'DescribeConfigsRequest',
  { versions: '1-4', flexible: '4+' },
  {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: array('0+', 'string', { nullable: '0+' }),
    }),
    includeSynonyms: bool('1+'),
    includeDocumentation: bool('3+'),
  },
)
export type DescribeConfigsRequest = Infer<typeof describeConfigsRequest>
export type DescribeConfigsResource = DescribeConfigsRequest['resources'][number]

export const describeConfigsResponse = response(
  32,
  'DescribeConfigsResponse',
  { versions: '1-4', flexible: '4+' },
  {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
        readOnly: bool('0+'),
        /** 1 topic, 2 broker, 3 all brokers' default, 4 static, 5 default, 6 broker logger, 7 client metrics, 8 group. */
        configSource: int8('1+', { default: -1, ignorable: true }),
        isSensitive: bool('0+'),
        synonyms: array(
          '1+',
          {
            name: string('1+'),
            value: string('1+', { nullable: '0+' }),
            source: int8('1+'),
          },
          { ignorable: true },
        ),
        /** 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. */
        configType: int8('3+', { ignorable: true }),
        documentation: string('3+', { nullable: '0+', ignorable: true }),
      }),
    }),
  },
)
export type DescribeConfigsResponse = Infer<typeof describeConfigsResponse>
export type DescribeConfigsResult = DescribeConfigsResponse['results'][number]
export type DescribeConfigsResourceResult = DescribeConfigsResponse['results'][number]['configs'][number]
export type DescribeConfigsSynonym = DescribeConfigsResponse['results'][number]['configs'][number]['synonyms'][number]
